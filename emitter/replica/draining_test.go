package replica

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sidehook/sidehook/emitter/replica/memory"
)

// sentAt is one sighting in what was seen, in the order of that.
type sentAt struct {
	from  string
	at    time.Time
	bytes int64
}

// sequenceOf returns what was seen, in its order.
func sequenceOf(t failer, link *memory.Connection) (all []sentAt) {
	t.Helper()
	last, err := link.LastSeen(context.Background())
	must(t, err)
	var a Assembler
	_ = link.Seen(context.Background(), 0, func(number uint64, message []byte) error {
		incarnation, sightings, _, err := a.Add(number, message)
		must(t, err)
		for _, s := range sightings {
			all = append(all, sentAt{from: incarnation, at: s.At, bytes: spilledSize(&s)})
		}
		if number == last {
			return errEnough
		}
		return nil
	})
	return all
}

// keep has a replica without a line see so many bytes, one observation a second.
func keep(t failer, l *life, total int) {
	t.Helper()
	l.link.Cut()
	data := bytes.Repeat([]byte("x"), 64<<10)
	for n := range total / len(data) {
		if _, ok := l.See(fmt.Sprint("p", n%10), at(n), data); !ok {
			t.Fatalf("%d was refused", n)
		}
		time.Sleep(spillWait)
	}
}

func TestNoReplicaDrainsFarAheadOfAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers := memory.NewServers()
		servers.MaxMessage = 256 << 10
		var members [2]*life
		for n := range members {
			link, d := servers.Connect(), newTestDisk(nil)
			slow := &slowLink{Connection: link, latency: time.Duration(1+100*n) * time.Millisecond}
			l := &life{link: link, disk: d, ended: make(chan error, 1)}
			others := func() (time.Time, bool) { return members[1-n].DrainedTo(), true }
			l.Seer = newSeer(SeerOptions{Link: slow, OthersDrainedTo: others, Logger: slog.New(slog.DiscardHandler)}, d)
			members[n] = l
		}
		for _, l := range members {
			l.start()
			keep(t, l, 5*maxAhead)
		}
		for _, l := range members {
			l.link.Mend()
		}
		time.Sleep(time.Minute)
		reached, ahead, most := map[string]time.Time{}, map[string][]sentAt{}, int64(0)
		for _, s := range sequenceOf(t, servers.Connect()) {
			reached[s.from] = s.at
			ahead[s.from] = append(ahead[s.from], s)
			for from, list := range ahead {
				newer := int64(0)
				for _, one := range list {
					for other := range ahead {
						if other != from && one.at.After(reached[other]) {
							newer += one.bytes
						}
					}
				}
				most = max(most, newer)
			}
		}
		if limit := int64(maxAhead + servers.MaxMessage); most > limit || most < maxAhead/2 {
			t.Errorf("one was ahead by %d bytes, want at most %d", most, limit)
		}
		for _, l := range members {
			if status := l.Status(); status.Records != 0 || !l.DrainedTo().IsZero() {
				t.Errorf("in the end %+v", status)
			}
			l.end(t)
		}
	})
}

func TestAReplicaDrainsOnlyAShortWayUntilOthersGoOnOrAreStuck(t *testing.T) {
	f := func(name string, wait time.Duration, before, after func() (time.Time, bool)) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				servers, link, d := bubble(t)
				servers.MaxMessage = 256 << 10
				var isLater atomic.Bool
				others := func() (time.Time, bool) {
					if isLater.Load() {
						return after()
					}
					return before()
				}
				l := &life{link: link, disk: d, ended: make(chan error, 1)}
				l.Seer = newSeer(SeerOptions{Link: link, OthersDrainedTo: others, Logger: slog.New(slog.DiscardHandler)}, d)
				l.start()
				if got := l.DrainedTo(); !got.IsZero() {
					t.Errorf("before anything was spilled, it has drained to %s", got)
				}
				keep(t, l, 3*maxAhead)
				if got := l.DrainedTo(); got.IsZero() || got.After(at(0)) {
					t.Errorf("before anything was sent, it has drained to %s", got)
				}
				link.Mend()
				time.Sleep(Presence - time.Second)
				if left := l.Status().Bytes; left < 2*maxAhead-int64(servers.MaxMessage) || left > 2*maxAhead+64<<10 {
					t.Errorf("%d bytes are left", left)
				}
				if got := l.DrainedTo(); !got.After(at(0)) {
					t.Errorf("once some of it was sent, it has drained to %s", got)
				}
				within(t, spillWait, l.see(t, "p", "later"))
				isLater.Store(true)
				time.Sleep(wait)
				if status := l.Status(); status.Records != 0 {
					t.Errorf("in the end %+v", status)
				}
				l.end(t)
			})
		})
	}
	unknown := func() (time.Time, bool) { return time.Time{}, false }
	old := func() (time.Time, bool) { return at(0), true }
	nothing := func() (time.Time, bool) { return time.Time{}, true }
	newer := func() (time.Time, bool) { return at(1e6), true }
	f("others are not heard, and then have nothing", time.Second, unknown, nothing)
	f("others have what is as old, and then have sent it", time.Second, old, newer)
	f("others are not heard", 3*time.Second, unknown, unknown)
	f("others do not send what is as old", 3*time.Second, old, old)
}

func TestAReplicaIsPatientWithOthersAsLongAsTheyCatchUp(t *testing.T) {
	f := func(what string, want bool, drainedTo ...int) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			d := &draining{}
			d.waits(time.Unix(0, 0)) // before any of it was sent
			for _, second := range drainedTo {
				d.waits(at(second))
				time.Sleep(20 * time.Second)
			}
			if got := d.isPatient(); got != want {
				t.Errorf("of others that send %s: %t, want %t", what, got, want)
			}
		})
	}
	f("nothing", false, 0, 0)
	f("less than they see", false, 0, 5, 10)
	f("as much as they see, and a little more", true, 0, 25, 50, 75, 100)
	f("much, for a while", true, 0, 100, 100, 100)
	f("much, and then nothing", false, 0, 30, 30, 30, 30, 30)
}
