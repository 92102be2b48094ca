package replica

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sidehook/sidehook/emitter/replica/memory"
)

func TestASightingIsDurableOnceAllReplicasHaveIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers, link, d := bubble(t)
		l := live(link, d)
		within(t, time.Millisecond, l.see(t, "p", "1"))
		within(t, time.Millisecond, l.see(t, "p", "2"))
		seen, _ := read(t, servers.Connect())
		if got := seen[l.Incarnation()]; !slices.Equal(got, numbered(1, 2)) {
			t.Errorf("seen was %q", got)
		}
		if len(d.files) != 0 {
			t.Errorf("it made %d files", len(d.files))
		}
		want := []Queue{{Incarnation: l.Incarnation(), Acked: 2}}
		if diff := cmp.Diff(want, l.Unseen(nil), sameBytes); diff != "" {
			t.Errorf("Unseen differs (-want +got):\n%s", diff)
		}
		l.end(t)
		if _, ok := l.See("p", at(0), nil); ok {
			t.Error("it takes sightings after its end")
		}
	})
}

func TestWhatWaitsDuringASlowMessageGoesOutInOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers, link, d := bubble(t)
		l := live(link, d)
		link.Deafen()
		first := l.see(t, "p", "1")
		synctest.Wait()
		var others []<-chan struct{}
		for k := 2; k <= 100; k++ {
			others = append(others, l.see(t, "p", fmt.Sprint(k)))
		}
		time.AfterFunc(durableWait/2, link.Mend)
		within(t, durableWait*2/3, first)
		for _, done := range others {
			within(t, time.Millisecond, done)
		}
		seen, messages := read(t, servers.Connect())
		if got := seen[l.Incarnation()]; !slices.Equal(got, numbered(1, 100)) || messages != 2 {
			t.Errorf("seen was %q in %d messages", got, messages)
		}
		l.end(t)
	})
}

func TestOverACutLineSightingsAreSpilledAndSentInOrderLater(t *testing.T) {
	for _, line := range []string{"cut", "deaf"} {
		t.Run(line, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				servers, link, d := bubble(t)
				l := live(link, d)
				within(t, time.Millisecond, l.see(t, "p", "1"))
				if line == "cut" {
					link.Cut()
				} else {
					link.Deafen()
				}
				for k := 2; k <= 300; k++ {
					within(t, spillWait, l.see(t, fmt.Sprint("p", k%7), fmt.Sprint(k)))
				}
				status := l.Status()
				if status.Records != 299 || status.Spilled != 299 || status.Bytes == 0 || status.IsConnected != (line != "cut") {
					t.Errorf("the status is %+v", status)
				}
				q := l.Unseen([]string{"p3", "nobody"})[0]
				if diff := cmp.Diff(Queue{l.Incarnation(), 1, map[string]uint64{"p3": 297}}, q); diff != "" {
					t.Errorf("Unseen differs (-want +got):\n%s", diff)
				}
				link.Mend()
				time.Sleep(10 * time.Second)
				within(t, time.Millisecond, l.see(t, "p", "301"))
				seen, messages := read(t, servers.Connect())
				if got := seen[l.Incarnation()]; !slices.Equal(got, numbered(1, 301)) {
					t.Errorf("seen was %q", got)
				}
				if messages > 12 {
					t.Errorf("it was sent in %d messages", messages)
				}
				if status := l.Status(); status.Records != 0 || status.Bytes != 0 || status.Waiting != 0 || len(l.Unseen(nil)[0].Pending) != 0 {
					t.Errorf("in the end the status is %+v, %v", status, l.Unseen(nil))
				}
				l.end(t)
				if len(d.files) != 0 {
					t.Error("a file is left")
				}
			})
		})
	}
}

func TestDrainingCatchesUpBesideNewSightings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers, link, d := bubble(t)
		servers.MaxMessage = 20 << 10
		slow := &slowLink{Connection: link, latency: 5 * time.Millisecond}
		l := &life{link: link, disk: d, ended: make(chan error, 1)}
		l.Seer = newSeer(SeerOptions{Link: slow, Logger: slog.New(slog.DiscardHandler)}, d)
		l.start()
		link.Cut()
		k, data := 0, strings.Repeat("x", 64)
		pass := func(count int) {
			for range count { // 5,000 a second
				k++
				l.see(t, fmt.Sprint("p", k%50), data)
				time.Sleep(200 * time.Microsecond)
			}
		}
		pass(10_000)
		link.Mend()
		spilled := l.Status().Records
		if spilled < 9000 {
			t.Fatalf("only %d were spilled", spilled)
		}
		_, before := read(t, servers.Connect())
		for l.Status().Records > 0 {
			if pass(100); k > 60_000 {
				t.Fatalf("%d of %d records still wait after %d more", l.Status().Records, spilled, k-10_000)
			}
		}
		_, after := read(t, servers.Connect())
		most := (k * (len(data) + 16) / servers.MaxMessage) * 2
		if after-before > most {
			t.Errorf("%d sightings were sent in %d messages, more than %d", k, after-before, most)
		}
		before = int(l.Status().Spilled)
		pass(1000)
		if got := int(l.Status().Spilled) - before; got != 0 {
			t.Errorf("after it was drained, %d were spilled", got)
		}
		l.end(t)
		seen, _ := read(t, servers.Connect())
		if got := len(seen[l.Incarnation()]); got != k {
			t.Errorf("%d of %d were seen", got, k)
		}
	})
}

func TestEarlierIncarnationsAreSentFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers, link, d := bubble(t)
		link.Cut()
		var names []string
		for i := range 3 {
			away := servers.Connect()
			away.Cut() // before it could send what the one before has left
			l := live(away, d)
			for k := 1; k <= 20; k++ {
				within(t, spillWait, l.see(t, fmt.Sprint("p", i), fmt.Sprint(k)))
			}
			names = append(names, l.Incarnation())
			l.stop()
			<-l.ended
			time.Sleep(time.Minute)
		}
		l := live(link, d)
		within(t, spillWait, l.see(t, "p", "1"))
		var got []string
		for _, q := range l.Unseen(nil) {
			got = append(got, fmt.Sprintf("%s %d %v", q.Incarnation, q.Acked, q.Pending))
		}
		want := []string{names[0] + " 0 map[p0:20]", names[1] + " 0 map[p1:20]", names[2] + " 0 map[p2:20]", l.Incarnation() + " 0 map[p:1]"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Unseen differs (-want +got):\n%s", diff)
		}
		link.Mend()
		time.Sleep(5 * time.Second)
		within(t, time.Millisecond, l.see(t, "p", "2"))
		seen, _ := read(t, servers.Connect())
		for _, name := range names {
			if !slices.Equal(seen[name], numbered(1, 20)) {
				t.Errorf("of %s, seen was %q", name, seen[name])
			}
		}
		if !slices.Equal(seen[l.Incarnation()], numbered(1, 2)) {
			t.Errorf("of its own, seen was %q", seen[l.Incarnation()])
		}
		for _, q := range l.Unseen(nil)[:3] {
			if q.Acked != 20 || len(q.Pending) != 0 {
				t.Errorf("at last, Unseen has %+v", q)
			}
		}
		l.end(t)
		if len(d.files) != 0 {
			t.Error("a file is left")
		}
	})
}

func TestAFailingDiskKeepsSightingsInMemoryUpToABound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers, link, d := bubble(t)
		l := live(link, d)
		link.Cut()
		within(t, spillWait, l.see(t, "p", "1"))
		d.fail(true)
		second := l.see(t, "p", "2")
		time.Sleep(time.Minute)
		select {
		case <-second:
			t.Fatal("it is durable though nobody has it")
		default:
		}
		d.fail(false)
		within(t, maxPause, second)
		d.fail(true)
		for k := 3; k < 3+maxWaiting; k++ {
			l.see(t, "p", fmt.Sprint(k))
		}
		if _, ok := l.See("p", at(0), nil); ok || l.Status().Lost != 1 {
			t.Errorf("past the bound, See returned %t, and %d are lost", ok, l.Status().Lost)
		}
		link.Mend()
		time.Sleep(10 * time.Second)
		seen, _ := read(t, servers.Connect())
		if got := seen[l.Incarnation()]; !slices.Equal(got, numbered(1, 2+maxWaiting)) {
			t.Errorf("%d were seen", len(got))
		}
		d.fail(false)
		l.end(t)
	})
}

func TestTheSpillIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers, link, d := bubble(t)
		l := live(link, d)
		l.maxSpill = 1000
		link.Cut()
		var undone int
		for k := 1; k <= 100; k++ {
			select {
			case <-l.see(t, "p", fmt.Sprint(k)):
			case <-time.After(2 * maxPause):
				undone++
			}
		}
		for _, f := range d.files {
			if len(f.content) > 1000 || undone == 0 || undone == 100 {
				t.Errorf("the file has %d bytes, and %d are not durable", len(f.content), undone)
			}
		}
		link.Mend()
		time.Sleep(10 * time.Second)
		if seen, _ := read(t, servers.Connect()); !slices.Equal(seen[l.Incarnation()], numbered(1, 100)) {
			t.Errorf("seen was %q", seen)
		}
		l.end(t)
	})
}

func TestOnACleanStopWhatWaitsIsSentOrSpilled(t *testing.T) {
	for _, line := range []string{"whole", "cut", "deaf"} {
		t.Run(line, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				servers, link, d := bubble(t)
				l := live(link, d)
				switch line {
				case "cut":
					link.Cut()
				case "deaf":
					link.Deafen()
				}
				for k := 1; k <= 100; k++ {
					l.see(t, "p", fmt.Sprint(k))
				}
				start := time.Now()
				l.end(t)
				if took := time.Since(start); took > stopGrace {
					t.Errorf("it took %s", took)
				}
				if isSpilled := len(d.files) == 1; isSpilled != (line != "whole") {
					t.Errorf("there are %d files", len(d.files))
				}
				link.Mend()
				again := live(link, newTestDisk(d.image(func(int) int { return 0 })))
				time.Sleep(time.Second)
				again.end(t)
				if seen, _ := read(t, servers.Connect()); !slices.Equal(seen[l.Incarnation()], numbered(1, 100)) {
					t.Errorf("seen was %q", seen)
				}
			})
		})
	}
}

func TestASeerThatEndsSaysThatNothingFollowsUnlessSomethingWaits(t *testing.T) {
	f := func(name string, isConnected bool) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				servers, link, d := bubble(t)
				l := live(link, d)
				<-l.see(t, "p", "1")
				if !isConnected {
					link.Cut()
					<-l.see(t, "p", "2")
				}
				l.end(t)
				reading := servers.Connect()
				last, err := reading.LastSeen(t.Context())
				must(t, err)
				err = reading.Seen(t.Context(), last-1, func(number uint64, message []byte) error {
					if _, _, isLast, err := new(Assembler).Add(number, message); isLast != isConnected || err != nil {
						t.Errorf("the last message says that nothing follows: %t, %v", isLast, err)
					}
					return errEnough
				})
				if !errors.Is(err, errEnough) {
					t.Error(err)
				}
			})
		})
	}
	f("in good order", true)
	f("while it is cut off", false)
}

func TestForgettingOverwritesWhatWasSpilled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers, link, d := bubble(t)
		link.Cut()
		earlier := live(link, d)
		within(t, spillWait, earlier.see(t, "alice", "secret 0"))
		earlier.stop()
		<-earlier.ended
		l := live(link, d)
		for k := 1; k <= 9; k++ {
			within(t, spillWait, l.see(t, []string{"alice", "bob", "carol"}[k%3], fmt.Sprint("secret ", k)))
		}
		time.Sleep(flightTimeout + maxPause)
		must(t, l.ForgetSpilled(t.Context(), "alice"))
		for _, f := range d.files {
			for _, forgotten := range []string{"alice", "secret 0", "secret 3", "secret 6", "secret 9"} {
				if strings.Contains(string(f.content), forgotten) {
					t.Errorf("a file still has %q", forgotten)
				}
			}
		}
		if status := l.Status(); status.Records != 6 {
			t.Errorf("%d records wait", status.Records)
		}
		for _, q := range l.Unseen(nil) {
			if _, has := q.Pending["alice"]; has {
				t.Errorf("Unseen has %v", q.Pending)
			}
		}
		link.Mend()
		time.Sleep(5 * time.Second)
		seen, _ := read(t, servers.Connect())
		want := []string{"1 secret 1", "2 secret 2", "4 secret 4", "5 secret 5", "7 secret 7", "8 secret 8"}
		if diff := cmp.Diff(want, seen[l.Incarnation()]); diff != "" || len(seen) != 1 {
			t.Errorf("of %d incarnations, what was seen differs (-want +got):\n%s", len(seen), diff)
		}
		l.end(t)
	})
}

func TestASightingThatIsLongerThanAMessageIsSpilledAndSentInParts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers, link, d := bubble(t)
		servers.MaxMessage = 500
		l := live(link, d)
		long := strings.Repeat("long ", 1000)
		within(t, time.Millisecond, l.see(t, "p", "1"))
		within(t, time.Millisecond, l.see(t, "p", long))
		link.Cut()
		within(t, spillWait, l.see(t, "p", "3"))
		within(t, spillWait, l.see(t, "p", long))
		within(t, spillWait, l.see(t, "p", "5"))
		link.Mend()
		time.Sleep(5 * time.Second)
		seen, _ := read(t, servers.Connect())
		want := []string{"1 1", "2 " + long, "3 3", "4 " + long, "5 5"}
		if !slices.Equal(seen[l.Incarnation()], want) {
			t.Errorf("seen was %.300q", seen)
		}
		l.end(t)
	})
}

// askingHandler takes what is logged, and asks meanwhile.
type askingHandler struct {
	slog.Handler
	ask func()
}

func (h askingHandler) Enabled(context.Context, slog.Level) bool { return true }

func (h askingHandler) Handle(context.Context, slog.Record) error { h.ask(); return nil }

func TestASlowLogKeepsNobodyFromTheSeer(t *testing.T) {
	var s *Seer
	logged := 0
	handler := askingHandler{slog.DiscardHandler, func() {
		logged++
		_, _ = s.See("someone", at(0), make([]byte, maxSighting+1)) // another request, while this is logged
		_ = s.Status()
	}}
	s = NewSeer(SeerOptions{Dir: t.TempDir(), Link: memory.NewServers().Connect(), Logger: slog.New(handler)})
	done := make(chan struct{})
	go func() {
		defer close(done)
		if _, ok := s.See("someone", at(0), make([]byte, maxSighting+1)); ok {
			t.Error("there is room")
		}
	}()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("whoever logs holds a lock that others need")
	}
	if lost := s.Status().Lost; logged != 1 || lost != 2 {
		t.Errorf("%d lines were logged of %d that are lost", logged, lost)
	}
}

// While the first of two sightings of a participant has arrived, and the second is on
// its way, Unseen has the second.
func TestWhatIsPendingStaysSoUntilTheLastHasArrived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, link, d := bubble(t)
		l := &life{link: link, disk: d, ended: make(chan error, 1)}
		l.Seer = newSeer(SeerOptions{Link: &slowLink{Connection: link, latency: 10 * time.Millisecond}, Logger: slog.New(slog.DiscardHandler)}, d)
		l.start()
		f := func(acked uint64, pending map[string]uint64) {
			t.Helper()
			want := []Queue{{Incarnation: l.Incarnation(), Acked: acked, Pending: pending}}
			if diff := cmp.Diff(want, l.Unseen(nil), sameBytes); diff != "" {
				t.Errorf("Unseen differs (-want +got):\n%s", diff)
			}
		}
		l.see(t, "p", "1")
		synctest.Wait()
		second := l.see(t, "p", "2")
		f(0, map[string]uint64{"p": 2})
		time.Sleep(15 * time.Millisecond)
		f(1, map[string]uint64{"p": 2})
		within(t, 10*time.Millisecond, second)
		f(2, nil)
		l.end(t)
	})
}
