package chaos

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"
)

// ledger has what the app did, what participants were told of it, what the receiver
// got, and what was broken meanwhile. check compares them.
type ledger struct {
	mu sync.Mutex
	// trace gets a line for each entry, to find out what has happened.
	trace    io.Writer
	stories  map[string]*story
	webhooks []webhook
	breaks   []span
	failures []failure
	// twice counts requests that the app got again, unsigned webhooks without a valid
	// signature, and refused those that the receiver did not accept.
	twice, unsigned, refused int
}

// story is what one participant did, in the order in which the app took it.
type story struct {
	moves   []move
	answers []answer
}

// move is a navigation that the app accepted. An empty page is the end.
type move struct {
	from, to string
	// isTold is set once the participant has seen that they are on the page to. A move
	// that they were not told of before the next one may be lost.
	isTold bool
	// answers is how many of the story's answers the app had taken before.
	answers int
}

// answer is one that the app has taken.
type answer struct {
	item, text string
	// isTold is set once the participant has seen its 204.
	isTold bool
}

// webhook is one that the receiver has accepted.
type webhook struct {
	at          time.Time
	id          string
	participant string
	from, to    string
	isRecovered bool
	isPartial   bool
	// answers are the texts that it has, by item.
	answers map[string]string
	body    string
}

// span is when something was broken.
type span struct {
	what       string
	begin, end time.Time
}

// failure is a request of a participant that got no proper response.
type failure struct {
	participant, what string
	// isExplained is set if the replica that it went to was killed.
	isExplained bool
}

func newLedger(trace io.Writer) *ledger { return &ledger{trace: trace, stories: map[string]*story{}} }

// note writes a line into the trace. The caller holds mu.
func (l *ledger) note(format string, args ...any) {
	fmt.Fprintf(l.trace, time.Now().Format("15:04:05.000000 ")+format+"\n", args...)
}

// story returns that of a participant. The caller holds mu.
func (l *ledger) story(participant string) *story {
	s := l.stories[participant]
	if s == nil {
		s = &story{}
		l.stories[participant] = s
	}
	return s
}

// moved enters a move; it returns how many there are.
func (l *ledger) moved(participant, from, to string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.story(participant)
	s.moves = append(s.moves, move{from: from, to: to, answers: len(s.answers)})
	l.note("%s app moved %d from %s to %s", participant, len(s.moves), from, orEnd(to))
	return len(s.moves)
}

func (l *ledger) moves(participant string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.story(participant).moves)
}

// told enters that a participant has seen the page to which their n-th move led.
func (l *ledger) told(participant string, n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n > 0 {
		l.note("%s told of move %d", participant, n)
		l.story(participant).moves[n-1].isTold = true
	}
}

func (l *ledger) answered(participant, item, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.story(participant)
	s.answers = append(s.answers, answer{item: item, text: text})
	l.note("%s app took %s to %s", participant, text, item)
}

// toldAnswer enters that a participant has seen the 204 of an answer.
func (l *ledger) toldAnswer(participant, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.story(participant)
	if i := slices.IndexFunc(s.answers, func(a answer) bool { return a.text == text }); i >= 0 {
		s.answers[i].isTold = true
		l.note("%s told of %s", participant, text)
	}
}

func (l *ledger) arrived(w webhook) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.webhooks = append(l.webhooks, w)
	l.note("%s webhook %s of %s: %s", w.participant, w.id, w.from, w.body)
}

func (l *ledger) broke(s span) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.breaks = append(l.breaks, s)
	l.note("%s %s to %s", s.what, s.begin.Format("15:04:05.000000"), s.end.Format("15:04:05.000000"))
}

func (l *ledger) failed(f failure) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failures = append(l.failures, f)
	l.note("%s failed: %s", f.participant, f.what)
}

func (l *ledger) count(n *int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	*n++
}

// at returns the index of the move that leaves a page, -1 without one.
func (s *story) at(from string) int {
	return slices.IndexFunc(s.moves, func(m move) bool { return m.from == from })
}

// owed returns the moves that participants were told of and the receiver was not.
func (l *ledger) owed() (list []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	has := map[string]bool{}
	for _, w := range l.webhooks {
		has[w.participant+" "+w.from] = true
	}
	for participant, s := range l.stories {
		for n, m := range s.moves {
			if m.isTold && !has[participant+" "+m.from] {
				list = append(list, fmt.Sprintf("%s: move %d from %s to %s", participant, n+1, m.from, orEnd(m.to)))
			}
		}
	}
	slices.Sort(list)
	return list
}

func orEnd(page string) string {
	if page == "" {
		return "the end"
	}
	return page
}

// short cuts a list of what is wrong.
func short(list []string) string {
	const most = 10
	if len(list) > most {
		return strings.Join(list[:most], "\n    ") + fmt.Sprintf("\n    and %d more", len(list)-most)
	}
	return strings.Join(list, "\n    ")
}
