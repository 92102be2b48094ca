package replica

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sidehook/sidehook/emitter/replica/memory"
)

// clock is what is known of the clock of a Seer.
type clock struct {
	mu      sync.Mutex
	shift   time.Duration
	isKnown bool
}

func (c *clock) read() (time.Duration, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.shift, c.isKnown
}

// compare has the clock be known.
func (c *clock) compare(shift time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.shift, c.isKnown = shift, true
}

// expectMoved fails the test unless what was seen first has been moved by a shift.
func expectMoved(t *testing.T, link *memory.Connection, shift time.Duration) {
	t.Helper()
	var a Assembler
	err := link.Seen(context.Background(), 0, func(number uint64, message []byte) error {
		_, sightings, _, err := a.Add(number, message)
		if err != nil {
			return err
		}
		if s := sightings[0]; s.Shift != shift || !s.At.Equal(at(0).Add(shift)) || s.IsUncompared {
			t.Errorf("%s is at %s, moved by %s, want %s; uncompared %t", s.Data, s.At, s.Shift, shift, s.IsUncompared)
		}
		return errEnough
	})
	if !errors.Is(err, errEnough) {
		t.Fatal(err)
	}
}

func TestWhatWasSeenBeforeTheClockWasComparedIsSentLaterAndMoved(t *testing.T) {
	const shift = -30 * time.Second
	f := func(name string, fn func(t *testing.T, l *life, d disk, c *clock) *life, wantShift time.Duration) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				servers, link, d := bubble(t)
				c := &clock{}
				l := liveBy(link, d, c.read)
				within(t, spillWait, l.see(t, "p", "1"))
				time.Sleep(clockLimit / 2)
				if _, messages := read(t, servers.Connect()); messages > 0 {
					t.Error("it was sent at once")
				}
				l = fn(t, l, d, c)
				expectMoved(t, servers.Connect(), wantShift)
				l.end(t)
			})
		})
	}
	f("the clock is compared", func(t *testing.T, l *life, d disk, c *clock) *life {
		c.compare(shift)
		within(t, time.Second, l.see(t, "p", "2"))
		return l
	}, shift)
	f("the clock is compared after a restart", func(t *testing.T, l *life, d disk, c *clock) *life {
		l.end(t)
		c.compare(shift)
		l = liveBy(l.link, d, c.read)
		within(t, time.Second, l.see(t, "p", "2"))
		return l
	}, shift)
	f("the clock is never compared", func(t *testing.T, l *life, d disk, c *clock) *life {
		time.Sleep(clockLimit)
		return l
	}, 0)
}

func TestWhatWasSeenByASharedClockIsNotMoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers, link, d := bubble(t)
		l := liveBy(link, d, (&clock{shift: -30 * time.Second, isKnown: true}).read)
		within(t, time.Millisecond, l.see(t, "p", "1"))
		expectMoved(t, servers.Connect(), 0)
		l.end(t)
	})
}
