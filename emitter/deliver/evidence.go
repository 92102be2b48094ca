package deliver

import "github.com/sidehook/sidehook/emitter/send"

// evidence is what an attempt says about whether its target is up. A failure may
// be due to what a participant wrote, unless no connection could be made.
type evidence int

const (
	// neutral: it says nothing (429, a failure of our own).
	neutral evidence = iota
	// working: the target accepted the delivery, or refused it for what it is.
	working
	// failedFirst: the first attempt of a delivery failed.
	failedFirst
	// failedAgain: a delivery failed that had failed before, most likely by its own fault.
	failedAgain
	// noConnection: the target could not be reached.
	noConnection
)

// String returns the name of the evidence.
func (e evidence) String() string {
	return [...]string{"neutral", "working", "failed first", "failed again", "no connection"}[e]
}

// evidenceOf returns what an attempt says.
func evidenceOf(a attempted) evidence {
	switch a.result.Outcome {
	case send.Delivered, send.Rejected, send.Aborted, send.Gone:
		return working
	case send.Throttled, send.Ours:
		return neutral
	case send.Retry:
	}
	switch {
	case a.result.NoConnection:
		return noConnection
	case a.delivery.Attempts > 0:
		return failedAgain
	}
	return failedFirst
}

// several is how many participants' deliveries must fail before that speaks
// against a target: one participant alone may be the cause.
const several = 2

// suspicion is what speaks against a target since it last worked.
type suspicion struct {
	// unreachable counts the attempts that got no connection.
	unreachable uint32
	// failedFirst are the participants with a delivery whose first attempt failed, and
	// failed the first several of those with any failure.
	failedFirst, failed participants
}

// participants is a set of participants.
type participants map[uint64]struct{}

func (p *participants) add(participant uint64, limit uint32) {
	if *p == nil {
		*p = participants{}
	}
	if uint32(len(*p)) < limit {
		(*p)[participant] = struct{}{}
	}
}

// add takes in the evidence of an attempt. Of participants it remembers no more than
// limit, or several.
func (s *suspicion) add(e evidence, participant uint64, limit uint32) {
	switch e {
	case working:
		*s = suspicion{}
	case noConnection:
		s.unreachable++
	case failedFirst:
		s.failedFirst.add(participant, max(limit, several))
		s.failed.add(participant, several)
	case failedAgain:
		s.failed.add(participant, several)
	case neutral:
	}
}

// isDown reports whether there are so many failures that the target must be down.
func (s *suspicion) isDown(failures uint32) bool {
	ofParticipants := uint32(len(s.failedFirst))
	return s.unreachable+ofParticipants >= failures && (s.unreachable > 0 || ofParticipants >= several)
}

// isGeneral reports whether the failures cannot be due to one participant.
func (s *suspicion) isGeneral() bool { return s.unreachable > 0 || len(s.failed) >= several }
