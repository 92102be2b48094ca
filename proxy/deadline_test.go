package proxy

import (
	"testing"
	"time"
)

func TestLazyDeadlineMovesOnlyWhenTooLittleRemains(t *testing.T) {
	const d = time.Hour
	f := func(name string, remaining time.Duration, wantMoved bool) {
		t.Helper()
		var l lazyDeadline
		if remaining != 0 {
			l.at.Store(int64(clock() + remaining))
		}
		deadline, moved := l.extend(d)
		equal(t, name, moved, wantMoved)
		if remains := time.Until(deadline); moved && (remains < d || remains > d+d/2) {
			t.Errorf("%s: %v remain, want from %v to %v", name, remains, d, d+d/2)
		}
		_, moved = l.extend(d)
		equal(t, name+", then extended again", moved, false)
		l.forget()
		_, moved = l.extend(d)
		equal(t, name+", then set by somebody else", moved, true)
	}
	f("unknown", 0, true)
	f("past", -d, true)
	f("less than asked for", d-time.Second, true)
	f("enough", d+time.Minute, false)
}
