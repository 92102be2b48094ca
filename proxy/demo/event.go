package demo

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// The types of events that mean something to the app; any other is kept too.
const (
	componentResults = "decsys.platform.COMPONENT_RESULTS"
	pageLoad         = "decsys.platform.PAGE_LOAD"
	pageNavigation   = "decsys.platform.PAGE_NAVIGATION"
	pageRandomize    = "decsys.platform.PAGE_RANDOMIZE"
	surveyComplete   = "decsys.platform.SURVEY_COMPLETE"
)

const (
	// maxLogSize is how many bytes of events are kept before the participant
	// who came first is forgotten.
	maxLogSize = 256 << 20
	// eventOverhead stands for what an event takes beside its texts.
	eventOverhead = 128
)

// event is an entry of a participant's log; the order of fields is the wire's.
type event struct {
	Timestamp instant         `json:"timestamp"`
	Source    string          `json:"source"`
	Type      string          `json:"type"`
	Payload   json.RawMessage `json:"payload"`
}

// navigation is the payload of a pageNavigation, which Decsys writes with
// capitals; no target stands for the end of the survey.
type navigation struct {
	PageRequested string
	TargetPageID  *string `json:"TargetPageId"`
}

// eventLog holds what each participant did, oldest first.
type eventLog struct {
	participants map[string]participant // by the id in lower case, as Decsys' store compares
	arrived      []string               // keys of participants, in the order they came
	size         int
}

// participant is the events of one participant.
type participant []event

// instant is a time as Decsys with LiteDB writes it: UTC, no trailing zeros.
type instant time.Time

func newEventLog() eventLog {
	return eventLog{participants: map[string]participant{}}
}

// of gives the events of a participant; nil before the first.
func (l *eventLog) of(id string) participant {
	return l.participants[strings.ToLower(id)]
}

// add stores an event, and forgets those who came first when that is too much.
func (l *eventLog) add(id string, e event) {
	key := strings.ToLower(id)
	if _, known := l.participants[key]; !known {
		l.arrived = append(l.arrived, key)
	}
	l.participants[key] = append(l.participants[key], e)
	l.size += e.size()
	for l.size > maxLogSize {
		l.forgetFirst()
	}
}

func (l *eventLog) forgetFirst() {
	for _, e := range l.participants[l.arrived[0]] {
		l.size -= e.size()
	}
	delete(l.participants, l.arrived[0])
	l.arrived = l.arrived[1:]
}

func (e event) size() int {
	return eventOverhead + len(e.Source) + len(e.Type) + len(e.Payload)
}

// last is the index of the latest event of a type, and of a source unless
// that is empty; -1 without one.
func (p participant) last(source, kind string) int {
	for i, e := range slices.Backward(p) {
		if e.Type == kind && (source == "" || e.Source == source) {
			return i
		}
	}
	return -1
}

// order is the pages as this participant gets them; nil before they started.
func (p participant) order() []string {
	i := p.last("", pageRandomize)
	if i < 0 {
		return nil
	}
	var payload struct{ Order []string }
	_ = json.Unmarshal(p[i].Payload, &payload) // a foreign payload has no order
	return payload.Order
}

// pointer is the id of the page the participant is on: that of the last page
// load or the target of the last navigation, whichever is later.
func (p participant) pointer() string {
	for _, e := range slices.Backward(p) {
		if e.Type == pageLoad {
			return e.Source
		}
		var n navigation
		if e.Type == pageNavigation && json.Unmarshal(e.Payload, &n) == nil && n.TargetPageID != nil {
			return *n.TargetPageID
		}
	}
	if order := p.order(); len(order) > 0 {
		return order[0]
	}
	return ""
}

func (p participant) completed() bool {
	return p.last("", surveyComplete) >= 0
}

func (t instant) MarshalText() ([]byte, error) {
	return time.Time(t).UTC().AppendFormat(nil, "2006-01-02T15:04:05.999-07:00"), nil
}
