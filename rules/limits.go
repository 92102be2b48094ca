package rules

import (
	"cmp"

	"github.com/sidehook/sidehook/rules/config"
)

// Limits bound what one participant can have stored, in bytes: the app lets
// anybody log anything for any participant. Past a bound it is the journey itself
// that loses, and its events are partial.
type Limits struct {
	// Answer is the size of the largest answer, 0 for 64 KiB.
	Answer int
	// Journey is the size of a journey: its pages, its answers and the observations
	// that wait for its past; 0 for 512 KiB.
	Journey int
}

// LimitsOf returns the limits of a configuration.
func LimitsOf(c *config.Config) Limits {
	return Limits{Answer: int(c.Limits.Answer), Journey: int(c.Limits.Journey)}
}

const (
	defaultAnswerLimit  = 64 << 10
	defaultJourneyLimit = 512 << 10
)

// The bounds of one journey that cannot be configured.
const (
	maxPages       = 1000
	maxAnswers     = 1000
	maxNavigations = 10_000
	// maxWaiting is how many observations may wait for the participant's past.
	maxWaiting = 200
	// maxUnsettled, maxUnsettledBytes and maxTickets bound the events that wait for
	// answers in flight, and those answers; past them the oldest event stops waiting.
	maxUnsettled      = 16
	maxUnsettledBytes = 1 << 20
	maxTickets        = 64
	// recordOverhead is what a record takes beside what the participant sent.
	recordOverhead = 128
)

func (l Limits) answer() int  { return cmp.Or(l.Answer, defaultAnswerLimit) }
func (l Limits) journey() int { return cmp.Or(l.Journey, defaultJourneyLimit) }

// Refusal is what was left out of a journey at a bound.
type Refusal string

// The refusals.
const (
	// RefusedAnswer: an answer was larger than Limits.Answer.
	RefusedAnswer Refusal = "answer"
	// RefusedRecord: a page or answer was one too many, or past Limits.Journey.
	RefusedRecord Refusal = "journey"
	// RefusedNavigation: a navigation made no event, as it was one too many.
	RefusedNavigation Refusal = "navigation"
	// RefusedWait: an observation could not wait for the participant's past.
	RefusedWait Refusal = "waiting"
	// RefusedSettle: an event stopped waiting for answers in flight.
	RefusedSettle Refusal = "unsettled"
)

// Refusals returns all refusals.
func Refusals() []Refusal {
	return []Refusal{RefusedAnswer, RefusedRecord, RefusedNavigation, RefusedWait, RefusedSettle}
}
