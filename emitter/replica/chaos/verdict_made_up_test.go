package chaos

import (
	"io"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A ledger without losses is found to be right, and each loss in it is found.
func TestTheLedgerFindsEachLossThatIsMadeUp(t *testing.T) {
	began := time.Now()
	later := func(seconds int) time.Time { return began.Add(time.Duration(seconds) * time.Second) }
	hook := func(id, from, to string, at int) webhook {
		return webhook{at: later(at), id: id, participant: "ann", from: from, to: to, answers: map[string]string{"i1": "second"}, body: "body of " + id}
	}
	// Ann answers twice on page 1, is killed out of her third move, and completes.
	scene := func() *ledger {
		l := newLedger(io.Discard)
		l.answered("ann", "i1", "first")
		l.toldAnswer("ann", "first")
		l.answered("ann", "i1", "second")
		l.toldAnswer("ann", "second")
		l.told("ann", l.moved("ann", "p1", "p2"))
		l.told("ann", l.moved("ann", "p2", "p3"))
		l.moved("ann", "p3", "p4")
		l.told("ann", l.moved("ann", "p4", ""))
		l.broke(span{"kill", later(100), later(101)})
		l.failed(failure{what: "next", isExplained: true})
		l.arrived(hook("1", "p1", "p2", 1))
		l.arrived(hook("2", "p2", "p3", 2))
		l.arrived(hook("4", "p4", "", 101))
		return l
	}
	f := func(name string, change func(*ledger), want ...string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			l := scene()
			change(l)
			got := slices.Sorted(maps.Keys(l.check().wrong))
			slices.Sort(want)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("wrong (-want +got):\n%s", diff)
			}
		})
	}
	edit := func(i int, change func(*webhook)) func(*ledger) {
		return func(l *ledger) { change(&l.webhooks[i]) }
	}
	again := func(i, at int, change func(*webhook)) func(*ledger) {
		return func(l *ledger) {
			w := l.webhooks[i]
			w.at = later(at)
			change(&w)
			l.arrived(w)
		}
	}
	f("nothing", func(*ledger) {})
	f("no move at all", func(l *ledger) { *l = *newLedger(io.Discard) }, nothing)
	f("one that was told of is missing", func(l *ledger) { l.webhooks = l.webhooks[1:] }, missing)
	f("the last is missing", func(l *ledger) { l.webhooks = l.webhooks[:2] }, missing)
	f("one that was not told of has arrived", func(l *ledger) {
		l.webhooks = slices.Insert(l.webhooks, 2, hook("3", "p3", "p4", 50))
	})
	f("one that was not told of is part of one that was recovered", func(l *ledger) {
		l.webhooks[2].from, l.webhooks[2].isRecovered = "p3", true
		l.stories["ann"].moves[3].isTold = false
	})
	f("a second id", again(0, 3, func(w *webhook) { w.id = "9" }), secondID)
	f("of a page that was never left", edit(1, func(w *webhook) { w.from = "p9" }), missing, invented)
	f("to where it did not lead", edit(1, func(w *webhook) { w.to = "p4" }), invented)
	f("of nobody", again(0, 3, func(w *webhook) { w.id, w.participant = "9", "bob" }), invented)
	f("in another order", func(l *ledger) { slices.Reverse(l.webhooks[:2]) }, disorder)
	f("a repeat around a kill", again(2, 103, func(*webhook) {}))
	f("a repeat that began before a kill", again(1, 103, func(w *webhook) {}), unexplained)
	f("a repeat without a kill", again(0, 3, func(*webhook) {}), unexplained)
	f("a repeat with other bytes", again(2, 103, func(w *webhook) { w.body = "other" }), changed)
	f("an older answer", edit(0, func(w *webhook) { w.answers = map[string]string{"i1": "first"} }), lostAnswer)
	f("no answer", edit(0, func(w *webhook) { w.answers = nil }), lostAnswer)
	f("no answer, but it says so", edit(0, func(w *webhook) { w.answers, w.isPartial = nil, true }))
	f("an answer that nobody was told of", func(l *ledger) {
		l.stories["ann"].answers[1].isTold = false
		l.webhooks[0].answers = map[string]string{"i1": "first"}
	})
	f("an answer after the move", func(l *ledger) {
		l.answered("ann", "i2", "late")
		l.toldAnswer("ann", "late")
	})
	f("a request that failed", func(l *ledger) { l.failed(failure{what: "next"}) }, errorsSeen)
	f("a request sent twice", func(l *ledger) { l.count(&l.twice) }, sentTwice)
	f("an unsigned one", func(l *ledger) { l.count(&l.unsigned) }, unsigned)
}
