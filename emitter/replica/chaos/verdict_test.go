package chaos

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"
)

const (
	// undurable bounds how long the outcome of a delivery takes until it is durable,
	// while nothing is broken.
	undurable = 5 * time.Second
	// aftermath bounds how long a disturbance has effects after its end: a server comes
	// back, another replica leads.
	aftermath = 20 * time.Second
)

// verdict is what a ledger comes to. What is in wrong must not be.
type verdict struct {
	participants, moves, told, untold int
	answers                           int
	accepted, distinct, repeats       int
	recovered, partial                int
	excused                           int
	wrong                             map[string][]string
}

// The kinds of wrongs.
const (
	missing     = "moves that participants were told of and the receiver was not"
	secondID    = "moves with a second id"
	invented    = "webhooks of moves that the app never made"
	changed     = "ids with several bodies"
	disorder    = "webhooks out of their participant's order"
	lostAnswer  = "answers that participants were told of, and that the next webhook lacks"
	unexplained = "repeats that no disturbance explains"
	errorsSeen  = "requests that failed, though nobody killed their replica"
	sentTwice   = "requests that the app got twice"
	unsigned    = "webhooks without a valid signature"
	nothing     = "runs in which nothing happened"
)

// check compares what is in the ledger.
func (l *ledger) check() *verdict {
	owed := l.owed()
	l.mu.Lock()
	defer l.mu.Unlock()
	v := &verdict{participants: len(l.stories), wrong: map[string][]string{}}
	if len(owed) > 0 {
		v.wrong[missing] = owed
	}
	for _, s := range l.stories {
		v.moves += len(s.moves)
		v.answers += len(s.answers)
		for _, m := range s.moves {
			if m.isTold {
				v.told++
			}
		}
	}
	v.untold = v.moves - v.told
	l.checkWebhooks(v)
	for _, f := range l.failures {
		if f.isExplained {
			v.excused++
		} else {
			v.note(errorsSeen, "%s", f.what)
		}
	}
	for range l.twice {
		v.note(sentTwice, "a request")
	}
	for range l.unsigned {
		v.note(unsigned, "a webhook")
	}
	if v.told == 0 || v.distinct == 0 {
		v.note(nothing, "this one")
	}
	return v
}

func (v *verdict) note(kind, format string, args ...any) {
	v.wrong[kind] = append(v.wrong[kind], fmt.Sprintf(format, args...))
}

// checkWebhooks judges each webhook in the order of arrival.
func (l *ledger) checkWebhooks(v *verdict) {
	first := map[string]webhook{} // by id
	idOf := map[string]string{}   // by participant and page left
	reached := map[string]int{}   // the last move told of, by participant
	v.accepted = len(l.webhooks)
	for _, w := range l.webhooks {
		if before, isRepeat := first[w.id]; isRepeat {
			l.checkRepeat(v, before, w)
			continue
		}
		first[w.id] = w
		v.distinct++
		name := w.participant + " from " + w.from
		if other := idOf[name]; other != "" {
			v.note(secondID, "%s: %s and %s", name, other, w.id)
			continue
		}
		idOf[name] = w.id
		s := l.story(w.participant)
		n := s.at(w.from)
		if n < 0 || !s.leads(n, w) {
			v.note(invented, "%s to %s, recovered %t", name, orEnd(w.to), w.isRecovered)
			continue
		}
		if last, isLater := reached[w.participant]; isLater && n <= last {
			v.note(disorder, "%s: move %d after move %d", w.participant, n+1, last+1)
		}
		reached[w.participant] = n
		l.checkAnswers(v, s.moves[n], w)
	}
}

// leads reports whether a webhook about the n-th move names where that led, or one that
// was recovered, where a later one did.
func (s *story) leads(n int, w webhook) bool {
	if s.moves[n].to == w.to {
		return true
	}
	return w.isRecovered && slices.ContainsFunc(s.moves[n:], func(m move) bool { return m.to == w.to })
}

func (l *ledger) checkRepeat(v *verdict, before, again webhook) {
	v.repeats++
	if before.body != again.body {
		v.note(changed, "%s", again.id)
	}
	isExplained := slices.ContainsFunc(l.breaks, func(s span) bool {
		return before.at.After(s.begin.Add(-undurable)) && before.at.Before(s.end.Add(aftermath)) && again.at.After(s.begin)
	})
	if !isExplained {
		v.note(unexplained, "%s after %v", again.id, again.at.Sub(before.at))
	}
}

// checkAnswers requires of each item the last answer that the participant was told of
// before the move, or a later one.
func (l *ledger) checkAnswers(v *verdict, m move, w webhook) {
	if w.isRecovered {
		v.recovered++
	}
	if w.isPartial {
		v.partial++
		return
	}
	answers := l.story(w.participant).answers
	last := map[string]int{} // by item
	for i, a := range answers[:m.answers] {
		if a.isTold {
			last[a.item] = i
		}
	}
	for item, i := range last {
		got := slices.IndexFunc(answers, func(a answer) bool { return a.item == item && a.text == w.answers[item] })
		if got < i {
			v.note(lostAnswer, "%s from %s: item %s has %q, not %q", w.participant, w.from, item, w.answers[item], answers[i].text)
		}
	}
}

// String is a table of what was counted.
func (v *verdict) String() string {
	var text strings.Builder
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	row := func(n int, what string) { fmt.Fprintf(table, "%d\t%s\n", n, what) }
	row(v.participants, "participants")
	row(v.moves, "moves that the app made")
	row(v.told, "of them participants were told of")
	row(v.untold, "of them were not told of, and may be lost")
	row(v.answers, "answers that the app took")
	row(v.accepted, "webhooks that the receiver accepted")
	row(v.distinct, "ids among them")
	row(v.repeats, "repeats")
	row(v.recovered, "recovered")
	row(v.partial, "partial")
	row(v.excused, "requests that failed because their replica was killed")
	for _, kind := range kinds {
		row(len(v.wrong[kind]), kind)
	}
	_ = table.Flush() // to memory
	return text.String()
}

var kinds = []string{missing, secondID, invented, changed, disorder, lostAnswer, unexplained, errorsSeen, sentTwice, unsigned, nothing}

// expectNothingWrong fails the test for each kind of what is wrong.
func expectNothingWrong(t *testing.T, v *verdict) {
	t.Helper()
	for kind, wrong := range v.wrong {
		t.Errorf("%d %s:\n    %s", len(wrong), kind, short(wrong))
	}
}
