package replica

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sidehook/sidehook/emitter/replica/memory"
)

// peer is a Roster that runs.
type peer struct {
	*Roster
	link *memory.Connection
	log  *bytes.Buffer
	// end ends it in good order; die as if it was killed.
	end, die func()
}

func join(servers *memory.Servers, options RosterOptions) *peer {
	p := &peer{link: servers.Connect(), log: &bytes.Buffer{}}
	options.Link, options.Logger = p.link, slog.New(slog.NewTextHandler(p.log, nil))
	p.Roster = NewRoster(options)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	p.end = func() { cancel(); <-ended }
	p.die = func() { p.link.Cut(); p.end() }
	return p
}

// present returns the names and incarnations that a peer knows of.
func (p *peer) present() (all []string) {
	for _, m := range p.Present() {
		all = append(all, fmt.Sprint(m.Name, " ", m.Incarnation))
	}
	return all
}

func (p *peer) expect(t *testing.T, when string, want ...string) {
	t.Helper()
	if got := p.present(); !slices.Equal(got, want) {
		t.Errorf("%s, %q are present, want %q", when, got, want)
	}
}

func TestReplicasHearEachOtherUntilTheyLeaveOrAreSilentForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers := memory.NewServers()
		a := join(servers, RosterOptions{Name: "a", Incarnation: "1"})
		a.expect(t, "at first", "a 1")
		b := join(servers, RosterOptions{Name: "b", Incarnation: "2", Extra: func() []byte { return []byte("extra") }})
		c := join(servers, RosterOptions{Name: "c", Incarnation: "3"})
		d := join(servers, RosterOptions{Name: "d", Incarnation: "4", HasUnseen: func() bool { return true }})
		time.Sleep(time.Second)
		a.expect(t, "after a second", "a 1", "b 2", "c 3", "d 4")
		if m := a.Present()[1]; string(m.Extra) != "extra" || m.IsSelf || m.Silent > helloEvery {
			t.Errorf("b is %+v", m)
		}
		b.end()
		d.end()
		synctest.Wait()
		a.expect(t, "after b has left", "a 1", "c 3", "d 4")
		c.die()
		time.Sleep(29 * time.Second)
		a.expect(t, "29 seconds after c died", "a 1", "c 3", "d 4")
		time.Sleep(2 * time.Second)
		a.expect(t, "31 seconds after c died", "a 1")
		a.end()
	})
}

func TestReplicasThatAnotherOneHasHeardAreWaitedForUntilTheyAreSilentForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers := memory.NewServers()
		cutOff := join(servers, RosterOptions{Name: "b", Incarnation: "2"})
		cutOff.link.Cut()
		left := join(servers, RosterOptions{Name: "c", Incarnation: "3"})
		begunAnew := join(servers, RosterOptions{Name: "d", Incarnation: "5"})
		a := join(servers, RosterOptions{Name: "a", Incarnation: "1"})
		time.Sleep(time.Second)
		left.end()
		synctest.Wait()
		a.Expect([]Member{
			{Name: "a", Incarnation: "0"},
			{Name: "b", Incarnation: "2"},
			{Name: "c", Incarnation: "3"},
			{Name: "d", Incarnation: "4"},
			{Name: "e", Incarnation: "6"},
			{Name: "f", Incarnation: "7"},
			{Name: "g", Incarnation: "8", Silent: 20 * time.Second},
			{Name: "h", Incarnation: "9", Silent: 40 * time.Second},
			{Name: "i", Incarnation: "10"},
		})
		a.expect(t, "at first", "a 1", "b 2", "d 5", "e 6", "f 7", "g 8", "i 10")
		a.Leave("10")
		a.expect(t, "once i has left", "a 1", "b 2", "d 5", "e 6", "f 7", "g 8")
		if earliest, isKnown := a.DrainedTo(); isKnown {
			t.Errorf("it is known that they have sent all to %v", earliest)
		}
		again := join(servers, RosterOptions{Name: "e", Incarnation: "11"})
		time.Sleep(2*silence + helloEvery)
		a.expect(t, "once e has begun anew", "a 1", "b 2", "d 5", "e 11", "f 7", "g 8")
		time.Sleep(8 * time.Second)
		a.expect(t, "once g was silent for half a minute", "a 1", "b 2", "d 5", "e 11", "f 7")
		cutOff.link.Mend()
		time.Sleep(Presence)
		a.expect(t, "half a minute later", "a 1", "b 2", "d 5", "e 11")
		a.Leave("1")
		a.expect(t, "once a has left itself", "b 2", "d 5", "e 11")
		for _, p := range []*peer{cutOff, begunAnew, again, a} {
			p.end()
		}
	})
}

func TestAReplicaIsKnownToBeAloneOnceItHasListened(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers := memory.NewServers()
		a := join(servers, RosterOptions{Name: "a", Incarnation: "1"})
		f := func(after time.Duration, want bool) {
			t.Helper()
			time.Sleep(after)
			if got := a.IsKnown(); got != want {
				t.Errorf("after %s, IsKnown is %t", after, got)
			}
		}
		f(time.Second, false)
		f(time.Second+helloEvery, true)
		f(time.Hour, true)
		a.link.Cut()
		f(2*maxGap, false)
		a.link.Mend()
		f(time.Second, false)
		f(time.Second+helloEvery, true)
		a.end()
	})
}

func TestNobodyIsForgottenForOnesOwnBadLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers := memory.NewServers()
		a := join(servers, RosterOptions{Name: "a", Incarnation: "1"})
		b := join(servers, RosterOptions{Name: "b", Incarnation: "2"})
		time.Sleep(time.Second)
		a.link.Cut()
		time.Sleep(time.Hour)
		b.die()
		a.link.Mend()
		time.Sleep(20 * time.Second)
		a.expect(t, "20 seconds after an hour without a line", "a 1", "b 2")
		time.Sleep(12 * time.Second)
		a.expect(t, "12 seconds later", "a 1")
		a.end()
	})
}

func TestANewIncarnationReplacesTheOldOneOnceThatIsSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers := memory.NewServers()
		a := join(servers, RosterOptions{Name: "a", Incarnation: "1"})
		b := join(servers, RosterOptions{Name: "b", Incarnation: "2"})
		time.Sleep(time.Second)
		again := join(servers, RosterOptions{Name: "b", Incarnation: "3"})
		time.Sleep(time.Second)
		a.expect(t, "while both are heard", "a 1", "b 2", "b 3")
		b.die()
		time.Sleep(time.Second)
		a.expect(t, "a second after the old one died", "a 1", "b 2", "b 3")
		time.Sleep(2 * time.Second)
		a.expect(t, "three seconds after the old one died", "a 1", "b 3")
		again.die()
		a.end()
		if a.log.Len() > 0 {
			t.Errorf("it has logged %s", a.log)
		}
	})
}

func TestTwoReplicasOfOneNameAreWarnedOf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers := memory.NewServers()
		peers := []*peer{
			join(servers, RosterOptions{Name: "a", Incarnation: "1"}),
			join(servers, RosterOptions{Name: "b", Incarnation: "2"}),
			join(servers, RosterOptions{Name: "b", Incarnation: "3"}),
		}
		time.Sleep(50 * time.Second)
		peers[0].expect(t, "after a while", "a 1", "b 2", "b 3")
		for i, p := range peers {
			p.end()
			if warnings := strings.Count(p.log.String(), "same name"); warnings != 1 {
				t.Errorf("%d has warned %d times", i, warnings)
			}
		}
	})
}

func TestReplicasKnowHowFarOthersHaveDrainedTheirSpills(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers := memory.NewServers()
		to := func(second int) func() time.Time { return func() time.Time { return at(second) } }
		nothing := func() time.Time { return time.Time{} }
		a := join(servers, RosterOptions{Name: "a", Incarnation: "1", DrainedTo: to(1)})
		expect := func(when string, want time.Time, isKnown bool) {
			t.Helper()
			if got, ok := a.DrainedTo(); !got.Equal(want) || ok != isKnown {
				t.Errorf("%s: %s, %t; want %s, %t", when, got, ok, want, isKnown)
			}
		}
		expect("before it has listened", time.Time{}, false)
		join(servers, RosterOptions{Name: "a", Incarnation: "0", DrainedTo: to(0)}).end()
		b := join(servers, RosterOptions{Name: "b", Incarnation: "2", DrainedTo: nothing})
		time.Sleep(3 * time.Second)
		expect("if another one has nothing", time.Time{}, true)
		c := join(servers, RosterOptions{Name: "c", Incarnation: "3", DrainedTo: to(9)})
		d := join(servers, RosterOptions{Name: "d", Incarnation: "4", DrainedTo: to(5)})
		time.Sleep(time.Second)
		expect("of several", at(5), true)
		d.die()
		time.Sleep(2 * time.Second)
		expect("while one is silent", time.Time{}, false)
		time.Sleep(Presence)
		expect("once it is gone", at(9), true)
		for _, p := range []*peer{a, b, c} {
			p.end()
		}
	})
}

func FuzzHello(f *testing.F) {
	h := hello{
		kind: kindHello, name: "a", incarnation: "1", started: at(0), clock: at(1), echoes: []echo{{"2", at(2), time.Second}},
		extra: []byte("extra"), drainedTo: at(3),
	}
	f.Add(h.encode())
	f.Add((&hello{kind: kindHello, name: "a"}).encode())
	f.Fuzz(func(t *testing.T, message []byte) {
		h, err := parseHello(message)
		if err != nil {
			return
		}
		if again, err := parseHello(h.encode()); err != nil || fmt.Sprint(again) != fmt.Sprint(h) {
			t.Errorf("%v was read again as %v, %v", h, again, err)
		}
	})
}
