package replica

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sidehook/sidehook/emitter/replica/memory"
)

func TestReplicasShareOneClock(t *testing.T) {
	f := func(name string, offsets []time.Duration, want time.Duration) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				servers := memory.NewServers()
				var peers []*peer
				for i, offset := range offsets {
					name := string(rune('a' + i))
					peers = append(peers, join(servers, RosterOptions{Name: name, Incarnation: name, Now: func() time.Time { return time.Now().Add(offset) }}))
				}
				expect := func(when string) {
					t.Helper()
					for i, p := range peers {
						if off := time.Until(p.Now()) - want; off.Abs() > rightClock {
							t.Errorf("%s, the clock of replica %d is off by %s", when, i, off)
						}
					}
				}
				time.Sleep(knownAfter)
				expect("once all are known")
				// The others are gone, so that the last one cannot tell who is right.
				for _, p := range peers[:len(peers)-1] {
					p.end()
				}
				peers = peers[len(peers)-1:]
				time.Sleep(clockMemory / 2)
				expect("alone")
				peers[0].end()
			})
		})
	}
	f("all are right", []time.Duration{0, 0, 0}, 0)
	f("one of three is a little ahead", []time.Duration{0, 20 * time.Millisecond, 0}, 0)
	f("one of three is ahead", []time.Duration{0, 0, 30 * time.Second}, 0)
	f("one of three is behind", []time.Duration{0, 0, -30 * time.Second}, 0)
	f("the first of three is behind", []time.Duration{-30 * time.Second, 0, 0}, 0)
	f("one of two is ahead", []time.Duration{0, 30 * time.Second}, 0)
	f("one of two is behind", []time.Duration{0, -30 * time.Second}, -30*time.Second)
	f("one of one", []time.Duration{5 * time.Second}, 5*time.Second)
}

func TestACorrectionIsKeptWhileFewerClocksAreHeard(t *testing.T) {
	const unsure = 5 * time.Millisecond
	now := time.Now()
	c := sharedClock{}
	f := func(after, median time.Duration, clocks int, want time.Duration) {
		t.Helper()
		now = now.Add(after)
		c.correct(Offset{Ahead: median, Unsure: unsure}, clocks, now)
		if c.shift != want {
			t.Fatalf("a median of %s among %d clocks makes the shift %s, want %s", median, clocks, c.shift, want)
		}
	}
	f(0, 30*time.Second, 3, 30*time.Second)
	f(time.Second, 30*time.Second+unsure, 3, 30*time.Second)
	f(time.Second, 30*time.Second+2*unsure, 3, 30*time.Second+2*unsure)
	f(time.Second, 0, 3, 0)
	f(time.Second, 30*time.Second, 2, 0)
	f(clockMemory, 30*time.Second, 2, 30*time.Second)
}

func TestAReplicaHasComparedItsClockAsSoonAsItIsHeard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers := memory.NewServers()
		a := join(servers, RosterOptions{Name: "a", Incarnation: "1"})
		time.Sleep(time.Minute + helloEvery/2)
		b := join(servers, RosterOptions{Name: "b", Incarnation: "2", Now: func() time.Time { return time.Now().Add(30 * time.Second) }})
		time.Sleep(helloEvery + time.Millisecond)
		if shift, isKnown := b.ClockShift(); shift != -30*time.Second || !isKnown {
			t.Errorf("its shift is %s, known %t", shift, isKnown)
		}
		a.end()
		b.end()
	})
}

func TestTheClockOfAReplicaThatIsAloneIsKnownOnceItHasListened(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := join(memory.NewServers(), RosterOptions{Name: "a", Incarnation: "1"})
		f := func(after time.Duration, want bool) {
			t.Helper()
			time.Sleep(after)
			if _, isKnown := a.ClockShift(); isKnown != want {
				t.Errorf("after %s, known is %t", after, isKnown)
			}
		}
		f(time.Second, false)
		f(knownAfter, true)
		a.end()
	})
}

func TestAClockThatIsSetIsFollowedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers := memory.NewServers()
		var ahead atomic.Int64
		ahead.Store(int64(30 * time.Second))
		a := join(servers, RosterOptions{Name: "a", Incarnation: "1"})
		b := join(servers, RosterOptions{Name: "b", Incarnation: "2", Now: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }})
		time.Sleep(time.Minute)
		ahead.Store(0)
		time.Sleep(3 * helloEvery)
		if off := time.Until(b.Now()); off.Abs() > rightClock {
			t.Errorf("its clock is off by %s", off)
		}
		a.end()
		b.end()
	})
}

func TestARestartedReplicaHasOneClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers := memory.NewServers()
		ahead := func() time.Time { return time.Now().Add(30 * time.Second) }
		a := join(servers, RosterOptions{Name: "a", Incarnation: "1"})
		b := join(servers, RosterOptions{Name: "b", Incarnation: "2", Now: ahead, HasUnseen: func() bool { return true }})
		time.Sleep(knownAfter)
		b.end()
		b = join(servers, RosterOptions{Name: "b", Incarnation: "3", Now: ahead})
		time.Sleep(knownAfter)
		if off := time.Until(a.Now()); off.Abs() > rightClock {
			t.Errorf("the clock of the other is off by %s", off)
		}
		a.end()
		b.end()
	})
}

func TestACorrectionIsKnownAfterARestartWithoutOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers, dir := memory.NewServers(), t.TempDir()
		ahead := func() time.Time { return time.Now().Add(30 * time.Second) }
		a := join(servers, RosterOptions{Name: "a", Incarnation: "1"})
		b := join(servers, RosterOptions{Name: "b", Incarnation: "2", Now: ahead, Dir: dir})
		time.Sleep(knownAfter)
		a.end()
		b.end()
		f := func(after, want time.Duration) {
			t.Helper()
			time.Sleep(after)
			b := join(servers, RosterOptions{Name: "b", Incarnation: "3", Now: ahead, Dir: dir})
			if off := time.Until(b.Now()) - want; off.Abs() > rightClock {
				t.Errorf("%s later, the clock is off by %s", after, off)
			}
			b.end()
		}
		f(time.Second, 0)
		f(clockMemory, 30*time.Second)
	})
}
