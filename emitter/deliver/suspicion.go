package deliver

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

// add records the evidence of an attempt. Of participants it remembers no more than
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
