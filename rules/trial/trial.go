package trial

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/config"
)

// TrialOptions are what a recording is tried with, all of it.
type TrialOptions struct {
	Profile *rules.Profile
	Config  *config.Config
	// Deliveries makes those of an event: bodies are not known here.
	Deliveries func(rules.Key, *rules.Event) []TrialDelivery
}

// Trial is what would have come of recorded exchanges.
type Trial struct {
	// App is what the profile is for.
	App string `json:"app"`
	// Exchanges are those that a route matches, in the order in which they ended.
	Exchanges []TrialExchange `json:"exchanges"`
	// Unmatched are the other requests, and Omitted what in the file is no exchange.
	Unmatched []Unmatched `json:"unmatched"`
	Omitted   []Omission  `json:"omitted"`
}

// TrialExchange is an exchange that a route matches, and what it says.
type TrialExchange struct {
	// Entry is its place in the HAR file, from 1.
	Entry   int        `json:"entry"`
	Request string     `json:"request"`
	Status  int        `json:"status"`
	Says    rules.Says `json:"says"`
	// Why is the reason why it says nothing, or makes no event though it is a navigation.
	Why         string            `json:"why,omitempty"`
	Observation *TrialObservation `json:"observation"`
	// Events are those that are ready to go after it.
	Events []TrialEvent `json:"events"`
}

// TrialObservation is an Observation in words of its own.
type TrialObservation struct {
	Survey      string `json:"survey"`
	Instance    string `json:"instance"`
	FriendlyID  string `json:"friendly_id"`
	Study       string `json:"study"`
	Participant string `json:"participant"`
	// Page is what was shown; null in a page_shown or navigated means completed.
	Page      *rules.Page     `json:"page"`
	PageCount int             `json:"page_count"`
	PageID    string          `json:"page_id"`
	Item      string          `json:"item"`
	Answer    json.RawMessage `json:"answer"`
}

// TrialEvent is an event, what rules make of it, and what would be sent.
type TrialEvent struct {
	Name      config.EventName `json:"name"`
	Place     int              `json:"place"`
	Recovered bool             `json:"recovered"`
	// Data is what `when` is asked about.
	Data       json.RawMessage `json:"data"`
	Rules      []rules.Verdict `json:"rules"`
	Deliveries []TrialDelivery `json:"deliveries"`
}

// TrialDelivery is what a target would get.
type TrialDelivery struct {
	Target      string          `json:"target"`
	Rule        string          `json:"rule"`
	Format      config.Format   `json:"format"`
	ContentType string          `json:"content_type"`
	Body        json.RawMessage `json:"body"`
}

// Unmatched is a request that no route matches.
type Unmatched struct {
	Request     string `json:"request"`
	ContentType string `json:"content_type"`
	Times       int    `json:"times"`
}

// trial is a Trial in the making.
type trial struct {
	TrialOptions
	*Trial
	set      *rules.Set
	journeys map[rules.Key]*rules.Journey
	// children are where participants who were allotted to another survey go on.
	children map[rules.Key]rules.Key
}

// passing is an exchange that a route matches, and the ticket it goes by.
type passing struct {
	Recorded
	match  rules.Match
	ticket uint64
}

// Try tells what would come of recorded exchanges if they crossed the proxy with
// the overlaps in time that they have: the same folding, rules and bodies, without
// a network, a clock or a store.
func Try(o TrialOptions, recorded []Recorded, omitted []Omission) *Trial {
	t := &trial{
		TrialOptions: o, Trial: &Trial{App: o.Profile.App, Exchanges: []TrialExchange{}, Unmatched: []Unmatched{}, Omitted: omitted},
		set: rules.Compile(o.Config.Rules), journeys: map[rules.Key]*rules.Journey{}, children: map[rules.Key]rules.Key{},
	}
	var all []passing
	for i, one := range ByEnd(recorded) {
		if match, ok := o.Profile.Match([]byte(one.Method), []byte(one.Target)); ok {
			all = append(all, passing{one, match, uint64(i + 1)})
		} else {
			t.noteUnmatched(&one)
		}
	}
	for i := range all {
		t.Exchanges = append(t.Exchanges, t.exchange(all, i))
	}
	return t.Trial
}

func (t *trial) noteUnmatched(one *Recorded) {
	path, _, _ := strings.Cut(one.Target, "?")
	request := one.Method + " " + path
	if i := slices.IndexFunc(t.Unmatched, func(u Unmatched) bool { return u.Request == request }); i >= 0 {
		t.Unmatched[i].Times++
		if one.Exchange.Status == http.StatusOK { // rather than of one that was broken off
			t.Unmatched[i].ContentType = one.Exchange.ContentType
		}
		return
	}
	t.Unmatched = append(t.Unmatched, Unmatched{Request: request, ContentType: one.Exchange.ContentType, Times: 1})
}

func (t *trial) exchange(all []passing, i int) TrialExchange {
	one := &all[i]
	x := one.Exchange
	x.Uninspected = one.match.Lacks(one.LacksRequest, one.LacksResponse)
	result := TrialExchange{Entry: one.Entry, Request: one.Method + " " + one.Target, Status: x.Status, Says: rules.Nothing}
	o, ok, err := t.Profile.Observe(one.match, x)
	switch {
	case err != nil:
		result.Why = "it would say " + string(one.match.Says()) + ", but " + err.Error()
	case !ok:
		result.Why = one.match.WhyNothing(x)
	default:
		result.Says = o.Says
		result.Observation = describe(&o)
	}
	if !ok || err != nil {
		o = rules.Observation{Says: rules.Nothing, Journey: one.match.Journey()}
	}
	o.At, o.Ticket = one.End, one.ticket
	o.Alone = !slices.ContainsFunc(all, one.disturbedBy)
	for _, other := range all[i+1:] {
		if other.answersDuring(one, time.Duration(t.Config.Settle)) && other.match.Journey() == o.Journey {
			o.InFlight = append(o.InFlight, other.ticket)
		}
	}
	result.Events = t.fold(&o, &result)
	return result
}

// fold takes the observation into its journey.
func (t *trial) fold(o *rules.Observation, result *TrialExchange) []TrialEvent {
	if child, allotted := t.children[o.Journey]; allotted {
		o.Journey, o.Survey = child, ""
	}
	if o.Via != (rules.Key{}) && o.Page != nil {
		t.children[o.Via] = o.Journey
	}
	journey := t.journeys[o.Journey]
	if journey == nil {
		journey = &rules.Journey{}
		t.journeys[o.Journey] = journey
	}
	before := journey.Place
	ready := journey.Fold(o)
	switch {
	case o.Says == rules.Navigated && journey.Place == before:
		result.Why = "no event: the participant was there already, or nobody knows where they were"
	case journey.Place > before && len(ready) == 0:
		result.Why = "its event waits for answers that are on their way"
	}
	events := []TrialEvent{}
	for _, event := range ready {
		events = append(events, TrialEvent{
			Name: event.Name(), Place: event.Place, Recovered: event.Recovered, Data: event.Data(),
			Rules: t.set.Explain(event), Deliveries: t.Deliveries(o.Journey, event),
		})
	}
	return events
}

func (f *passing) disturbedBy(other passing) bool {
	return other.ticket != f.ticket && other.match.Participant() == f.match.Participant() && other.match.Disturbs(f.match) &&
		!other.Start.After(f.End) && !other.End.Before(f.Start)
}

// answersDuring tells whether f was an answer in flight when next ended, and
// ended soon enough to be waited for.
func (f *passing) answersDuring(next *passing, settle time.Duration) bool {
	return f.match.Says() == rules.AnsweredItem && f.Start.Before(next.End) && f.End.Sub(next.End) < settle
}

func describe(o *rules.Observation) *TrialObservation {
	described := &TrialObservation{
		Survey: o.Survey, Instance: o.Journey.Instance, FriendlyID: o.FriendlyID, Study: o.Study, Participant: o.Journey.Participant,
		Page: o.Page, PageCount: o.PageCount, PageID: o.PageID, Item: o.Item,
	}
	if gjson.ValidBytes(o.Answer) {
		described.Answer = o.Answer
	}
	return described
}
