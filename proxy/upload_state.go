package proxy

// uploadState is how far a request has got on its way to the app.
type uploadState int32

const (
	uploadIdle      uploadState = iota // nothing was read or sent
	uploadSending                      // the body is being read and sent
	uploadRead                         // the whole body was read; the app may not have its end
	uploadSent                         // the app has the whole request
	uploadMalformed                    // the body violates its framing
	uploadAbandoned                    // the participant left, or sent nothing for too long
)

var uploadStates = [...]string{"idle", "sending", "read", "sent", "malformed", "abandoned"}

// String returns the name of the state.
func (s uploadState) String() string { return uploadStates[s] }

func (s uploadState) canBecome(next uploadState) bool {
	switch s {
	case uploadIdle:
		return next == uploadSending || next == uploadRead
	case uploadSending:
		return next == uploadRead || next == uploadMalformed || next == uploadAbandoned
	case uploadRead:
		return next == uploadSent
	}
	return false
}

// isRead reports whether nothing of the body is left to read.
func (s uploadState) isRead() bool { return s == uploadRead || s == uploadSent }

// isBroken reports whether the whole body can't be had.
func (s uploadState) isBroken() bool { return s == uploadMalformed || s == uploadAbandoned }
