package proxy

// responseState is how far the response has got on its way to the participant.
type responseState int32

const (
	responseAwaited   responseState = iota // the app has sent no head
	responseBegun                          // it has; interim responses (1xx) don't go further than this
	responseRelaying                       // the head of the final response has come
	responseComplete                       // all of it was relayed
	responseSwitched                       // it was 101, and the connections become a tunnel
	responseCut                            // it broke off after its head
	responseReplaced                       // the participant got a response of the proxy's own
	responseAbandoned                      // the participant left before there was any
)

var responseStates = [...]string{"awaited", "begun", "relaying", "complete", "switched", "cut", "replaced", "abandoned"}

// String returns the name of the state.
func (s responseState) String() string { return responseStates[s] }

func (s responseState) canBecome(next responseState) bool {
	switch s {
	case responseAwaited, responseBegun:
		return next == responseBegun || next == responseRelaying || next == responseReplaced || next == responseAbandoned
	case responseRelaying:
		return next == responseComplete || next == responseSwitched || next == responseCut
	case responseComplete, responseSwitched:
		return next == responseCut // what comes after it panicked
	}
	return false
}

// hasHead reports whether the head of the app's final response has come.
func (s responseState) hasHead() bool {
	return s == responseRelaying || s == responseComplete || s == responseSwitched || s == responseCut
}

// isOver reports whether nothing more is relayed.
func (s responseState) isOver() bool { return s > responseRelaying }

// broken is the state that follows when nothing more of the response is had.
func (s responseState) broken() responseState {
	if s.hasHead() {
		return responseCut
	}
	return responseAbandoned
}
