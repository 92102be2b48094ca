package trial

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/config"
)

// Options are what recorded exchanges are tried with; all are required.
type Options struct {
	Profile *rules.Profile
	Config  *config.Config
	// Preview makes the deliveries of an event and calls add for each: the bodies of
	// webhooks are not known here.
	Preview Preview
	// MaxBodies is how many bytes the bodies and data of all events may have, past
	// which they are left out; 0 means any number.
	MaxBodies int
	// Stopped reports whether nobody waits for the report any more, so that it may end
	// early; nil means never.
	Stopped func() bool
}

// trial is one Run.
type trial struct {
	Options
	*Report
	set       *rules.Set
	fold      rules.Fold
	newcomers rules.Newcomers
	// recorded and matched are in the order in which exchanges ended.
	recorded []Recorded
	matched  []flight
	// awaited has the tickets of the answers that events wait for.
	awaited map[uint64]bool
	// settling are the journeys whose events wait, in the order in which that ends.
	settling []settling
	// heard are the last exchanges of journeys.
	heard map[rules.Key]heard
	// unmatchedAt has the place of each request in Unmatched.
	unmatchedAt map[string]int
	// kept is how many bytes the bodies and data of events have.
	kept int
}

// settling is when the events of a journey stop waiting for answers.
type settling struct {
	journey rules.Key
	due     time.Time
}

// flight is an exchange that a route matches, and its ticket.
type flight struct {
	Recorded
	match  rules.Match
	ticket uint64
}

// Run reports what comes of exchanges if they cross the proxy with the overlaps
// in time that they were recorded with.
func Run(o Options, recorded []Recorded, omitted []Omission) *Report {
	set := rules.Compile(o.Config.Rules)
	t := &trial{
		Options:  o,
		Report:   &Report{App: o.Profile.App, Exchanges: []Exchange{}, Unmatched: []Unmatched{}, Omitted: omitted},
		set:      set,
		fold:     rules.Fold{Journeys: rules.NewJourneysInMemory(), Rules: set, Limits: rules.LimitsOf(o.Config), ReadsPasts: o.Profile.HasHistory(), AsksWithoutSurvey: o.Profile.AsksWithoutSurvey()},
		recorded: ByEnd(recorded),
		awaited:  map[uint64]bool{},
		heard:    map[rules.Key]heard{},

		unmatchedAt: map[string]int{},
	}
	for i, one := range t.recorded {
		if match, ok := o.Profile.Match([]byte(one.Method), []byte(one.Target)); ok {
			t.matched = append(t.matched, flight{one, match, uint64(i + 1)})
		} else {
			t.noteUnmatched(&one)
		}
	}
	for i := range t.matched {
		if o.Stopped != nil && o.Stopped() {
			break
		}
		t.Exchanges = append(t.Exchanges, t.exchange(i))
	}
	if n := len(t.recorded); n > 0 {
		t.silencesUntil(t.recorded[n-1].End)
	}
	return t.Report
}

func (t *trial) noteUnmatched(one *Recorded) {
	path, _, _ := strings.Cut(one.Target, "?")
	request := one.Method + " " + path
	i, isKnown := t.unmatchedAt[request]
	if !isKnown {
		i = len(t.Unmatched)
		t.unmatchedAt[request] = i
		t.Unmatched = append(t.Unmatched, Unmatched{Request: request})
	}
	u := &t.Unmatched[i]
	u.Times++
	if x := &one.Exchange; u.Times == 1 || x.Status == http.StatusOK { // rather than of one that was aborted
		u.ContentType = x.ContentType
		u.Sent, u.Got = outlineOf(x.RequestType, x.RequestBody), outlineOf(x.ContentType, x.ResponseBody)
	}
}

// exchange takes the matched exchange i into its journey and reports it.
func (t *trial) exchange(i int) Exchange {
	one := &t.matched[i]
	x := one.Exchange
	x.LacksRequest, x.LacksResponse = one.LacksRequest, one.LacksResponse
	result := Exchange{Entry: one.Entry, Request: one.Method + " " + one.Target, Status: x.Status, Kind: rules.Nothing, Route: one.match.Route(), Events: []Event{}}
	if newcomer := t.Profile.Begins(one.match, x); newcomer != "" {
		t.newcomers.Add(newcomer)
	}
	t.settleUntil(one.End, &result)
	t.silencesUntil(one.End)
	o, ok, err := t.Profile.Observe(one.match, x)
	switch {
	case err != nil:
		result.Why = "it would say " + string(one.match.Kind()) + ", but " + err.Error()
	case !ok:
		result.Why = one.match.WhyNothing(t.Profile, x)
	default:
		result.Kind = o.Kind
		result.Observation, result.If = describe(&o), one.match.Conditions(t.Profile, x)
	}
	if !ok {
		o = rules.Observation{Kind: rules.Nothing, Journey: one.match.Journey()}
	}
	if ok || t.awaited[one.ticket] {
		o.At, o.Ticket = one.End, one.ticket
		o.Begins = t.newcomers.Take(o.Journey.Participant)
		t.see(i, &o)
		t.observe(o, &result)
	}
	return result
}

// see notes what was in flight together with the matched exchange i.
func (t *trial) see(i int, o *rules.Observation) {
	one := &t.matched[i]
	o.Alone = !slices.ContainsFunc(t.matched, one.isDisturbedBy)
	if !o.Kind.Moves() {
		return
	}
	for _, other := range t.matched[i+1:] {
		if other.isAnswerDuring(one) && other.match.Journey() == o.Journey {
			o.InFlight, o.InFlightItems = append(o.InFlight, other.ticket), append(o.InFlightItems, other.match.Item())
			t.awaited[other.ticket] = true
		}
	}
	if len(o.InFlight) > 0 {
		t.settling = append(t.settling, settling{o.Journey, one.End.Add(time.Duration(t.Config.Settle))})
	}
}

// settleUntil reports the events that have stopped waiting for answers by then.
func (t *trial) settleUntil(then time.Time, result *Exchange) {
	for len(t.settling) > 0 && t.settling[0].due.Before(then) {
		step := t.fold.Settle(t.settling[0].journey, t.settling[0].due)
		t.settling = t.settling[1:]
		t.report(step.Journey, step.Events, result)
	}
}

// observe takes an observation into its journey. Where the journey has a past, it
// joins that at once.
func (t *trial) observe(o rules.Observation, result *Exchange) {
	step := t.fold.Observe(o)
	t.heard[step.Journey] = heard{o.At, len(t.Exchanges)}
	events, made := step.Events, step.Made
	if step.Past != nil {
		past, err := t.readPast(*step.Past, o.At)
		if err != nil {
			result.Why = "what the participant did before cannot be read, so that their events are partial: " + err.Error()
		}
		joined, _ := t.fold.Join(step.Journey, past)
		events, made = append(events, joined.Events...), made+joined.Made
	}
	switch {
	case o.Kind == rules.Navigated && made == 0:
		result.Why = "no event: the participant was there already, or their page was unknown"
	case made > 0 && len(events) == 0:
		result.Why = "its event waits for answers that are on their way"
	}
	t.report(step.Journey, events, result)
}

// report adds events to the exchange that made them.
func (t *trial) report(key rules.Key, events []*rules.Event, result *Exchange) {
	for _, event := range events {
		result.Events = append(result.Events, Event{
			Name: event.Name(), Place: event.Place, Recovered: event.Recovered, Data: t.keep(event.Data()),
			Rules: t.set.Explain(event), Deliveries: t.deliveries(key, event),
		})
	}
}

func (t *trial) deliveries(key rules.Key, event *rules.Event) []Delivery {
	made := []Delivery{}
	t.Preview(key, event, func(target, rule, contentType string, body []byte) {
		format := t.Config.Targets[target].Format
		made = append(made, Delivery{Target: target, Rule: rule, Format: format, ContentType: contentType, Body: t.keep(body)})
	})
	return made
}

// leftOut stands for a body or data past MaxBodies.
var leftOut = []byte(`"(left out: the bodies of all events are too long together)"`)

// keep returns content, or leftOut where there is too much.
func (t *trial) keep(content []byte) []byte {
	if t.kept += len(content); t.MaxBodies > 0 && t.kept > t.MaxBodies {
		return leftOut
	}
	return content
}

// isDisturbedBy reports whether the other exchange was in flight together with f,
// and may have moved the participant on.
func (f *flight) isDisturbedBy(other flight) bool {
	return other.ticket != f.ticket && other.match.Participant() == f.match.Participant() && other.match.Disturbs(f.match) &&
		!other.Start.After(f.End) && !other.End.Before(f.Start)
}

// isAnswerDuring reports whether f was an answer in flight when next ended.
func (f *flight) isAnswerDuring(next *flight) bool {
	return f.match.Kind() == rules.Answered && f.Start.Before(next.End)
}

func describe(o *rules.Observation) *Observation {
	described := &Observation{
		Survey: o.Survey, Instance: o.Journey.Instance, FriendlyID: o.FriendlyID, Study: o.Study, Participant: o.Journey.Participant,
		Page: o.Page, PageCount: o.PageCount, PageID: o.PageID, Item: o.Item, Outcome: string(o.Outcome),
	}
	if gjson.ValidBytes(o.Answer) {
		described.Answer = o.Answer
	}
	for _, one := range o.Answers {
		described.Answers = append(described.Answers, FormAnswer{one.Item, one.Answer})
	}
	return described
}
