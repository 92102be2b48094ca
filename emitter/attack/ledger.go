package main

import (
	"bytes"
	"fmt"
	"sync"
	"time"

	"github.com/tidwall/gjson"
)

const (
	// answerMarker begins every honest answer.
	answerMarker = "honest answer of "
	// lateAfter is when an event counts as late.
	lateAfter = 2 * time.Second
)

// ledger pairs the responses to honest participants with the webhooks of one
// target. Others' webhooks are ignored.
type ledger struct {
	app app
	mu  sync.Mutex
	of  map[string]*steps
	// unsigned and incomplete should stay 0.
	unsigned, incomplete int
}

// steps are the times of one participant's navigations, by the page left.
type steps struct{ acknowledged, arrived []time.Time }

// tally counts what is in a ledger.
type tally struct{ expected, arrived, late, unsigned, incomplete int }

func newLedger(a app) *ledger { return &ledger{app: a, of: map[string]*steps{}} }

// begin makes the ledger expect a participant.
func (l *ledger) begin(participant string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	pages := l.app.pages()
	l.of[participant] = &steps{make([]time.Time, pages), make([]time.Time, pages)}
}

// acknowledge enters a response that a participant has just read. page is the page left, from 0.
func (l *ledger) acknowledge(participant string, page int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.of[participant].acknowledged[page] = time.Now()
}

// arrive enters a webhook of format standard. It must carry every answer up to the page left.
func (l *ledger) arrive(body []byte, isSigned bool) {
	fields := gjson.GetManyBytes(body, "data.from.number", "data.partial")
	id, page := l.app.whose(body), int(fields[0].Int())
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.of[id]
	if s == nil || page < 1 || page > len(s.arrived) || !s.arrived[page-1].IsZero() {
		return
	}
	s.arrived[page-1] = time.Now()
	if !isSigned {
		l.unsigned++
	}
	if fields[1].Bool() || bytes.Count(body, []byte(answerMarker+id)) != page {
		l.incomplete++
	}
}

func (l *ledger) tally() (t tally) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t.unsigned, t.incomplete = l.unsigned, l.incomplete
	for _, s := range l.of {
		for page, at := range s.acknowledged {
			if at.IsZero() {
				continue
			}
			t.expected++
			if !s.arrived[page].IsZero() {
				t.arrived++
			}
			if s.arrived[page].Sub(at) > lateAfter {
				t.late++
			}
		}
	}
	return t
}

// participants returns the honest ids.
func (l *ledger) participants() (ids []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id := range l.of {
		ids = append(ids, id)
	}
	return ids
}

// missed describes what a target lacks, nil if nothing.
func (t tally) missed(target string) (list []string) {
	note := func(n int, what string) {
		if n > 0 {
			list = append(list, fmt.Sprintf("%s: %d of %d honest events %s", target, n, t.expected, what))
		}
	}
	note(t.expected-t.arrived, "missing")
	note(t.incomplete, "without all answers, or partial")
	note(t.unsigned, "not signed")
	if t.expected == 0 {
		list = append(list, target+": no honest participant left a page")
	}
	return list
}
