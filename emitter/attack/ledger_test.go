package main

import (
	"fmt"
	"strings"
	"testing"
)

func webhook(participant string, page, answers int, isPartial bool) []byte {
	return fmt.Appendf(nil, `{"data":{"participant":{"id":%q},"from":{"number":%d},"partial":%v,"responses":[%s]}}`,
		participant, page, isPartial, strings.Repeat(`"`+answerMarker+participant+`",`, answers))
}

func TestLedgerPairsResponsesWithWebhooks(t *testing.T) {
	l := newLedger(newDemoApp())
	l.begin("ann")
	for page := range 3 {
		l.acknowledge("ann", page)
	}
	l.arrive(webhook("ann", 1, 1, false), true)
	l.arrive(webhook("ann", 1, 1, false), true) // delivered again
	l.arrive(webhook("ann", 2, 1, false), false)
	l.arrive(webhook("mallory", 3, 3, false), true)
	l.arrive(webhook("ann", 9, 9, false), true)
	if got, want := l.tally(), (tally{expected: 3, arrived: 2, unsigned: 1, incomplete: 1}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	l.arrive(webhook("ann", 3, 3, true), true)
	if got := l.tally(); got.incomplete != 2 {
		t.Errorf("a partial event is not incomplete: %+v", got)
	}
}

func TestNothingIsMissedOnlyIfEverythingArrived(t *testing.T) {
	f := func(of tally, want string) {
		t.Helper()
		if got := strings.Join(of.missed("lake"), "; "); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	f(tally{expected: 5, arrived: 5, late: 5}, "")
	f(tally{expected: 5, arrived: 3}, "lake: 2 of 5 honest events missing")
	f(tally{expected: 5, arrived: 5, incomplete: 1}, "lake: 1 of 5 honest events without all answers, or partial")
	f(tally{}, "lake: no honest participant left a page")
}
