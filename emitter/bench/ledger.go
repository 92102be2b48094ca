package main

import (
	"fmt"
	"sync"
	"time"

	"github.com/tidwall/gjson"
)

// ledger pairs the responses that participants have read with the webhooks that
// a receiver got. Both are keyed by the page left, which every participant
// leaves once.
type ledger struct {
	mu sync.Mutex
	of map[string]*steps
	// acknowledged and arrived count navigations; waits are the times of their responses.
	acknowledged, arrived int
	waits                 []time.Duration
	// bytes is the size of all webhooks that arrived, first the time of the first one.
	bytes int
	first time.Time
	// These should stay 0; repeated may be as many as were in flight at a kill.
	repeated, renamed, reordered, unsigned, unreadable int
}

// steps are the times of one participant's navigations, by the page left.
type steps struct {
	acknowledged, arrived [pages]time.Time
	ids                   [pages]string
	last                  int
}

func newLedger() *ledger { return &ledger{of: map[string]*steps{}} }

// forget makes the ledger start again.
func (l *ledger) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.of, l.waits = map[string]*steps{}, nil
	l.acknowledged, l.arrived, l.bytes = 0, 0, 0
}

// forgetArrivals makes the ledger expect every webhook again.
func (l *ledger) forgetArrivals() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.of {
		*s = steps{acknowledged: s.acknowledged}
	}
	l.arrived, l.bytes = 0, 0
	l.repeated, l.renamed, l.reordered, l.unsigned, l.unreadable = 0, 0, 0, 0, 0
}

// acknowledge enters a response that a participant has just read. page is the page left.
func (l *ledger) acknowledge(participant string, page int, sent time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := time.Now()
	l.acknowledged++
	l.waits = append(l.waits, at.Sub(sent))
	l.entry(participant).acknowledged[page] = at
}

// arrive enters a webhook with the decsys format.
func (l *ledger) arrive(id string, body []byte, isSigned bool, at time.Time) {
	fields := gjson.GetManyBytes(body, "ParticipantId", "EventType.SourcePage")
	page := int(fields[1].Int()) - 1
	l.mu.Lock()
	defer l.mu.Unlock()
	if !isSigned {
		l.unsigned++
	}
	if page < 0 || page >= pages {
		l.unreadable++
		return
	}
	s := l.entry(fields[0].String())
	switch {
	case s.ids[page] == id:
		l.repeated++
		return
	case s.ids[page] != "":
		l.renamed++
		return
	case page < s.last:
		l.reordered++
	}
	if l.arrived == 0 {
		l.first = at
	}
	l.arrived++
	l.bytes += len(body)
	s.ids[page], s.arrived[page], s.last = id, at, page
}

// entry returns the steps of a participant. The caller holds mu.
func (l *ledger) entry(participant string) *steps {
	s := l.of[participant]
	if s == nil {
		s = &steps{}
		l.of[participant] = s
	}
	return s
}

// received counts the different webhooks that have arrived.
func (l *ledger) received() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.arrived
}

// missing counts the navigations acknowledged without a webhook so far.
func (l *ledger) missing() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.of {
		for page := range pages {
			if !s.acknowledged[page].IsZero() && s.arrived[page].IsZero() {
				n++
			}
		}
	}
	return n
}

// delays returns the times from a participant's response to its webhook, 0 where
// the webhook came first.
func (l *ledger) delays() (all []time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.of {
		for page := range pages {
			if !s.acknowledged[page].IsZero() && !s.arrived[page].IsZero() {
				all = append(all, max(0, s.arrived[page].Sub(s.acknowledged[page])))
			}
		}
	}
	return all
}

// wrong describes what should not have happened.
func (l *ledger) wrong() string {
	lost := l.missing()
	l.mu.Lock()
	defer l.mu.Unlock()
	return fmt.Sprintf("%d lost, %d repeated, %d with a second id, %d out of order, %d unsigned, %d unreadable",
		lost, l.repeated, l.renamed, l.reordered, l.unsigned, l.unreadable)
}
