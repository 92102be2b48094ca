package outbox

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// longDelivery makes one whose body cannot be compressed.
func longDelivery(lane string, size int) Delivery {
	d, random := delivery(lane, 1), rand.NewChaCha8([32]byte{17})
	d.Body = make([]byte, size)
	_, _ = random.Read(d.Body) // never fails
	return d
}

// count returns how many entries there are of each kind.
func (s *testServers) count(t testing.TB) (of [entryKindEnd]int) {
	t.Helper()
	for _, e := range s.all(t) {
		of[e.kind]++
	}
	return of
}

func TestChangeThatIsLongerThanAnEntryGoesInParts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers, dirs := newTestServers(), memberDirs(t, 2)
		servers.maxEntry = 1000
		a, b := servers.newReplica(dirs[0], "a").start(t), servers.newReplica(dirs[1], "b").start(t)
		leader := waitLeading(t, a, b)
		do(t, leader.Store, func(tx *Tx) { tx.Enqueue(longDelivery("ann", 10_000)) })
		if parts := servers.count(t)[entryPart]; parts < 10 || parts > 12 {
			t.Errorf("it went in %d parts and one", parts)
		}
		waitEqual(t, a, b)
	})
}

func TestPartsThatAreNotCompleteWhenAnotherLeadsAreNotMade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers, dirs := newTestServers(), memberDirs(t, 2)
		servers.maxEntry = 1000
		a := servers.newReplica(dirs[0], "a").start(t)
		waitLeading(t, a)
		b := servers.newReplica(dirs[1], "b").start(t)
		do(t, a.Store, func(tx *Tx) { tx.Enqueue(delivery("bob", 1)) })
		parts := 0
		a.line.beforeWrites(func(e logEntry) {
			if e.kind == entryPart {
				if parts++; parts == 5 {
					a.line.cut(true)
				}
			}
		})
		answer := make(chan error, 1)
		go func() {
			answer <- a.Do(t.Context(), func(tx *Tx) { tx.Enqueue(longDelivery("ann", 10_000)) })
		}()
		waitLeading(t, b)
		do(t, b.Store, func(tx *Tx) { tx.Enqueue(delivery("bob", 2)) })
		b.stop() // and reads it all again
		b = servers.newReplica(dirs[1], "b again").start(t)
		a.line.cut(false)
		if err := <-answer; !errors.Is(err, ErrFollows) {
			t.Errorf("Do returned %v", err)
		}
		waitEqual(t, a, b)
		if find(t, b.Store, "msg_ann_1") != nil || find(t, a.Store, "msg_bob_2") == nil {
			t.Error("half of a change was made, or the one after it was not")
		}
	})
}

func TestLeaderWhoseDiskIsFullAfterTheLogHasAChangeMakesItOnceThereIsRoom(t *testing.T) {
	f := func(fullFor time.Duration, keepsLeading bool) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			servers, dirs := newTestServers(), memberDirs(t, 2)
			a, disk := servers.newReplica(dirs[0], "a"), &fullDisk{}
			a.disk = disk
			a.start(t)
			waitLeading(t, a)
			b := servers.newReplica(dirs[1], "b").start(t)
			do(t, a.Store, func(tx *Tx) { tx.Enqueue(delivery("bob", 1)) })
			before := servers.count(t)[entryChanges]
			disk.isFull.Store(true)
			time.AfterFunc(fullFor, func() { disk.isFull.Store(false) })
			do(t, a.Store, func(tx *Tx) { tx.Enqueue(delivery("ann", 1)) }) // it is in the log, so it is made
			if got := servers.count(t)[entryChanges] - before; got > 2 {
				t.Errorf("it took %d entries", got)
			}
			time.Sleep(5 * time.Second)
			if a.Leads() != keepsLeading || b.Leads() == keepsLeading {
				t.Errorf("after %s, a leads: %t, b leads: %t", fullFor, a.Leads(), b.Leads())
			}
			waitEqual(t, a, b)
			if find(t, a.Store, "msg_ann_1") == nil {
				t.Error("the change is lost")
			}
		})
	}
	f(time.Second, true)
	f(10*time.Second, false)
}

func TestLeaderThatWasPausedWritesNothingOnceAnotherLeads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers, dirs := newTestServers(), memberDirs(t, 2)
		a := servers.newReplica(dirs[0], "a").start(t)
		waitLeading(t, a)
		b := servers.newReplica(dirs[1], "b").start(t)
		do(t, a.Store, func(tx *Tx) { tx.Enqueue(delivery("bob", 1)) })
		paused, hold := make(chan struct{}, 1), make(chan struct{})
		a.line.beforeWrites(func(logEntry) {
			select {
			case paused <- struct{}{}:
			default:
			}
			<-hold
		})
		<-paused
		waitLeading(t, b)
		if a.Leads() {
			t.Error("the one that is paused leads too")
		}
		do(t, b.Store, func(tx *Tx) { tx.Enqueue(delivery("bob", 2)) })
		close(hold)
		waitEqual(t, a, b)
		last := servers.all(t)
		if !b.Leads() || a.Leads() || last[len(last)-1].leader != "b" {
			t.Error("b leads no more")
		}
	})
}

// Wherever a leader is killed while it makes a change, its file becomes like that of
// another replica again.
func TestLeaderThatIsKilledAtAnyStepOfAChangeHasWhatTheLogHas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers, dirs := newTestServers(), memberDirs(t, 2)
		servers.maxEntry = 1000
		a, disk := servers.newReplica(dirs[0], "a"), &fullDisk{}
		a.disk = disk
		type image struct {
			step    string
			dir     string
			entries [][]byte
		}
		var images []image
		kill := func(step string) {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(dirs[0])); err != nil {
				t.Error(err)
			}
			servers.mu.Lock()
			defer servers.mu.Unlock()
			images = append(images, image{step, dir, servers.entries[:len(servers.entries):len(servers.entries)]})
		}
		a.start(t)
		waitLeading(t, a)
		a.line.beforeWrites(func(e logEntry) { kill("before the log has " + e.kind.String()) })
		disk.before.Store(new(func() { kill("before the file has it") }))
		for n := range 3 {
			do(t, a.Store, func(tx *Tx) { tx.Enqueue(delivery("ann", n)) })
			kill("afterwards")
			do(t, a.Store, func(tx *Tx) { tx.Enqueue(longDelivery(fmt.Sprint(n), 3000)) })
		}
		a.stop()
		if len(images) < 20 {
			t.Fatalf("it was killed %d times", len(images))
		}
		for n, i := range images {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(dirs[1])); err != nil {
				t.Fatal(err)
			}
			after := newTestServers()
			after.maxEntry, after.entries = 1000, bytesOf(i.entries)
			a, b := after.newReplica(i.dir, "a again").start(t), after.newReplica(dir, "b").start(t)
			leader := waitLeading(t, a, b)
			do(t, leader.Store, func(tx *Tx) { tx.Enqueue(delivery("bob", 1)) })
			for _, difference := range differences(t, a, b) {
				t.Errorf("killed %s (%d): %s", i.step, n, difference)
			}
			a.stop()
			b.stop()
		}
	})
}

func bytesOf(entries [][]byte) (all [][]byte) {
	for _, e := range entries {
		all = append(all, bytes.Clone(e))
	}
	return all
}

func TestReplicaThatIsStoppedAmongPartsReadsAllOfThemAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers, dirs := newTestServers(), memberDirs(t, 2)
		servers.maxEntry = 1000
		a, b := servers.newReplica(dirs[0], "a").start(t), servers.newReplica(dirs[1], "b")
		waitLeading(t, a)
		do(t, a.Store, func(tx *Tx) { tx.Enqueue(delivery("bob", 1)) })
		parts := 0
		a.line.beforeWrites(func(e logEntry) {
			if e.kind == entryPart {
				if parts++; parts == 5 {
					a.line.cut(true)
				}
			}
		})
		done, _ := a.Submit(0, func(tx *Tx) { tx.Enqueue(longDelivery("ann", 10_000)) })
		eventually(t, "some parts are written", func() bool { return servers.count(t)[entryPart] == 4 })
		stop := run(t, b.Store) // which nobody has lead
		eventually(t, "it has read them", func() bool { return b.Replica().Applied == uint64(len(servers.all(t))) })
		stop()
		a.line.cut(false)
		<-done
		b = servers.newReplica(dirs[1], "b again").start(t)
		waitEqual(t, a, b)
		if stateOf(t, b.Store, "msg_ann_1") == "none" {
			t.Error("the change is lost")
		}
	})
}

func TestReplicaLeavesTheLogToItsLeaderOnceItCanBeReachedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers, dirs := newTestServers(), memberDirs(t, 2)
		a := servers.newReplica(dirs[0], "a").start(t)
		waitLeading(t, a)
		b := servers.newReplica(dirs[1], "b").start(t)
		do(t, a.Store, func(tx *Tx) { tx.Enqueue(delivery("bob", 1)) })
		waitEqual(t, a, b)
		for n := range 20 {
			a.line.cut(true)
			b.line.cut(true)
			time.Sleep(time.Duration(3000+n*210) * time.Millisecond)
			if a.Leads() {
				t.Error("a leads though it cannot reach the log")
			}
			a.line.cut(false)
			b.line.cut(false)
			time.Sleep(time.Second)
		}
		if a.terms.Load() != 1 || b.terms.Load() != 0 || !a.Leads() {
			t.Errorf("a began %d terms, and b %d", a.terms.Load(), b.terms.Load())
		}
	})
}

func TestLeaderOfALogThatWentBackStopsToLead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers, dirs := newTestServers(), memberDirs(t, 1)
		a := servers.newReplica(dirs[0], "a").start(t)
		waitLeading(t, a)
		do(t, a.Store, func(tx *Tx) { tx.Enqueue(delivery("bob", 1)) })
		servers.set(func() { servers.entries = servers.entries[:1] })
		eventually(t, "it is refused", func() bool { return a.Replica().Role == RoleRefused })
		eventually(t, "its term has ended", func() bool { return a.inTerm.Load() == 0 })
		if a.Leads() {
			t.Error("it still leads")
		}
	})
}
