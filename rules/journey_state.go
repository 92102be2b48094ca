package rules

import "fmt"

// journeyState is how far a journey is.
//
//	unknown ─► joining ─► begun ─► done
//	   ├──────────────────►┘
//	   └─► moved
type journeyState int

const (
	// unknown: nothing of the participant was observed.
	unknown journeyState = iota
	// moved: the participant entered by a study, and goes on in the survey allotted to them.
	moved
	// joining: observations wait for what the participant did before.
	joining
	// begun: the participant is taking the survey.
	begun
	// done: the participant has completed the survey.
	done
)

// String returns the state's name.
func (s journeyState) String() string {
	switch s {
	case unknown:
		return "unknown"
	case moved:
		return "moved"
	case joining:
		return "joining"
	case begun:
		return "begun"
	case done:
		return "done"
	}
	return fmt.Sprintf("journeyState(%d)", int(s))
}

func (j *Journey) state() journeyState {
	switch {
	case j.Child != nil:
		return moved
	case j.Waits.Count > 0:
		return joining
	case j.Done:
		return done
	case j.KnownPages > 0, j.KnownAnswers > 0, j.Place > 0:
		return begun
	}
	return unknown
}
