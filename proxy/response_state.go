package proxy

// responseState is how far the response has got on its way to the participant.
type responseState int32

const (
	responseAwaited   responseState = iota // the app has sent no head
	responseBegun                          // it has sent one, maybe of an interim response (1xx)
	responseRelaying                       // the head of the final response has come
	responseComplete                       // all of it was relayed
	responseSwitched                       // it was 101, and the connections become a tunnel
	responseTruncated                      // it broke off after its head
	responseReplaced                       // the participant got a response of the proxy's own
	responseAbandoned                      // the participant left before there was any
)

var responseStates = [...]string{"awaited", "begun", "relaying", "complete", "switched", "truncated", "replaced", "abandoned"}

// String returns the name of the state.
func (s responseState) String() string { return responseStates[s] }

func (s responseState) canBecome(next responseState) bool {
	switch s {
	case responseAwaited, responseBegun:
		return next == responseBegun || next == responseRelaying || next == responseReplaced || next == responseAbandoned
	case responseRelaying:
		return next == responseComplete || next == responseSwitched || next == responseTruncated
	case responseComplete, responseSwitched:
		return next == responseTruncated // by a panic afterwards
	}
	return false
}

// hasHead reports whether the head of the app's final response has come.
func (s responseState) hasHead() bool {
	return s == responseRelaying || s == responseComplete || s == responseSwitched || s == responseTruncated
}

// isOver reports whether nothing more is relayed.
func (s responseState) isOver() bool { return s > responseRelaying }

// broken returns the state of a response of which nothing more will come.
func (s responseState) broken() responseState {
	if s.hasHead() {
		return responseTruncated
	}
	return responseAbandoned
}
