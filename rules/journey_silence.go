package rules

import (
	"time"

	"github.com/sidehook/sidehook/rules/config"
	"github.com/sidehook/sidehook/rules/funnel"
)

// Silence notes that nothing was heard of a participant since the last exchange of
// their journey, for so long that they may have abandoned the survey. Step.IsSilence is
// false if the journey does not await that: it has ended, a silence was noted
// already, or it waits for something, which the caller has to wait for too.
func (f Fold) Silence(key Key, last, at time.Time) Step {
	journey := f.load(key)
	if !journey.awaitsSilence() || journey.isUnfinished() {
		return Step{}.of(journey)
	}
	step := Step{IsSilence: true}
	if f.Rules.Names(config.Abandoned) {
		step.Events = []*Event{journey.abandoned(last, at)}
	}
	journey.IsSilent = true
	journey.countSilence(funnel.Abandoned, at)
	journey.save(last)
	return step.of(journey)
}

// awaitsSilence reports whether a silence can be noted. Whoever has gone on after one
// can be silent again.
func (j *Journey) awaitsSilence() bool {
	isOpen := j.state() == joining || j.state() == begun
	return isOpen && !j.IsSilent && j.key.Instance != surveyInstance
}

// isUnfinished reports whether observations wait for a past, or events for answers.
func (j *Journey) isUnfinished() bool { return j.Waits.Count+len(j.Held) > 0 }

// goOn ends a silence that was noted.
func (j *Journey) goOn(o *Observation) {
	if j.IsSilent {
		j.IsSilent = false
		j.countSilence(funnel.Returned, o.At)
	}
}

// start makes the event of a participant whose first page was loaded, if a rule names
// it. A past makes none, since the page was loaded before anybody observed it; nor does an
// attempt that is resumed, since it has started before.
func (j *Journey) start(page string, o *Observation) {
	if !j.isPast && o.Attempt != resumedAttempt && j.rules.Names(config.Started) {
		j.ready = append(j.ready, j.started(page, o))
	}
}
