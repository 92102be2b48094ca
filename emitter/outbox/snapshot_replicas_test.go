package outbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// enqueueAt makes deliveries on the replica that leads.
func enqueueAt(t *testing.T, leader *testReplica, lane string, n int) {
	t.Helper()
	for i := range n {
		do(t, leader.Store, func(tx *Tx) { tx.Enqueue(delivery(lane, i)) })
	}
}

// waitRefused waits until a replica is refused, for a reason that has a text.
func waitRefused(t *testing.T, r *testReplica, text string) {
	t.Helper()
	eventually(t, "a replica is refused: "+text, func() bool {
		got := r.Replica()
		return got.Role == RoleRefused && strings.Contains(got.Reason, text)
	})
}

// singleDir makes the state directory of a single sidehook that has a delivery.
func singleDir(t *testing.T, lane string) (dir, epoch string) {
	t.Helper()
	dir = t.TempDir()
	s, stop := testStore(t, dir)
	do(t, s, func(tx *Tx) { tx.Enqueue(delivery(lane, 0)); epoch = tx.Epoch() })
	stop()
	return dir, epoch
}

func TestSingleSidehookBeginsTheLogAndOthersLoadItsState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers := newTestServers()
		dir, epoch := singleDir(t, "ann")
		c := servers.newReplica(t.TempDir(), "c").start(t)
		b := servers.newReplica(t.TempDir(), "b").start(t)
		a := servers.newReplica(dir, "a").start(t)
		leader := waitLeading(t, a, b, c)
		enqueueAt(t, leader, "bob", 10)
		waitEqual(t, a, b, c)
		do(t, leader.Store, func(tx *Tx) {
			if tx.Epoch() != epoch {
				t.Error("the ids of the single sidehook are not valid any more")
			}
		})
		if find(t, b.Store, "msg_ann_0") == nil || find(t, c.Store, "msg_bob_9") == nil {
			t.Error("a new replica lacks something")
		}
	})
}

func TestEmptyReplicasBeginALogAfterAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers := newTestServers()
		var all []*testReplica
		for n := range 3 {
			all = append(all, servers.newReplica(t.TempDir(), fmt.Sprint(n)).start(t))
		}
		enqueueAt(t, waitLeading(t, all...), "ann", 3)
		waitEqual(t, all...)
	})
}

// Both had state: one wins, and the state of the other must not be lost.
func TestOfTwoSingleSidehooksOneBeginsTheLogAndTheOtherIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers := newTestServers()
		var all []*testReplica
		for _, name := range []string{"ann", "bob"} {
			dir, _ := singleDir(t, name)
			all = append(all, servers.newReplica(dir, name))
		}
		all[0].start(t)
		all[1].start(t)
		leader := waitLeading(t, all...)
		loser := all[0]
		if leader == loser {
			loser = all[1]
		}
		waitRefused(t, loser, "give this replica an empty state directory")
		if find(t, loser.Store, "msg_"+loser.Replica().Incarnation+"_0") == nil {
			t.Error("the refused replica has lost its state")
		}
		third := servers.newReplica(t.TempDir(), "third").start(t)
		waitEqual(t, leader, third)
	})
}

func TestReplicaLoadsASnapshotOnceItsNextEntryIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers := newTestServers()
		a := servers.newReplica(t.TempDir(), "a").start(t)
		b := servers.newReplica(t.TempDir(), "b").start(t)
		leader := waitLeading(t, a, b)
		asleep := servers.newReplica(t.TempDir(), "c").start(t)
		enqueueAt(t, leader, "ann", 3)
		waitEqual(t, a, b, asleep)
		asleep.line.cut(true)
		for round := range 3 {
			enqueueAt(t, leader, fmt.Sprint("bob", round), 3)
			before := lastSnapshot(t, leader)
			makeSnapshotDue(leader)
			eventually(t, "a snapshot was saved", func() bool { return lastSnapshot(t, leader) != before })
		}
		eventually(t, "the log was dropped", func() bool { first, _, _ := leader.line.Extent(t.Context()); return first > asleep.Replica().Applied+1 })
		asleep.line.cut(false)
		waitEqual(t, a, b, asleep)
		if names, _ := leader.line.Snapshots(t.Context()); len(names) != snapshotsKept {
			t.Errorf("there are the snapshots %q, want %d", names, snapshotsKept)
		}
	})
}

// lastSnapshot returns the name of the last snapshot.
func lastSnapshot(t *testing.T, r *testReplica) string {
	t.Helper()
	names, err := r.line.Snapshots(t.Context())
	if err != nil || len(names) == 0 {
		t.Fatalf("there are no snapshots (%v)", err)
	}
	return names[len(names)-1]
}

// makeSnapshotDue has a leader believe that the log is long.
func makeSnapshotDue(r *testReplica) {
	r.writer.replication.mu.Lock()
	defer r.writer.replication.mu.Unlock()
	r.writer.replication.logged.bytes = 1 << 40
}

func TestReplicasOfADeletedLogAreLostUntilOneBeginsANewOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers := newTestServers()
		a := servers.newReplica(t.TempDir(), "a").start(t)
		b := servers.newReplica(t.TempDir(), "b").start(t)
		leader := waitLeading(t, a, b)
		enqueueAt(t, leader, "ann", 3)
		waitEqual(t, a, b)
		var epoch string
		do(t, leader.Store, func(tx *Tx) { epoch = tx.Epoch() })
		if err := b.Seed(t.Context()); !errors.Is(err, ErrAlive) {
			t.Errorf("with a leader Seed returned %v", err)
		}
		away := servers.newReplica(t.TempDir(), "c").start(t)
		waitEqual(t, a, b, away)
		away.stop()

		servers.deleteAll()
		waitRefused(t, a, "sidehook replicas seed")
		waitRefused(t, b, "sidehook replicas seed")
		if find(t, b.Store, "msg_ann_2") == nil {
			t.Error("a lost replica cannot be read")
		}
		if err := b.Seed(t.Context()); err != nil {
			t.Fatal(err)
		}
		leader = waitLeading(t, a, b)
		enqueueAt(t, leader, "bob", 3)
		again := servers.newReplica(away.options.Dir, "c again").start(t)
		waitEqual(t, a, b, again)
		do(t, leader.Store, func(tx *Tx) {
			if tx.Epoch() == epoch {
				t.Error("the new log has ids that the old one may have given")
			}
		})
		if find(t, again.Store, "msg_ann_2") == nil || find(t, again.Store, "msg_bob_2") == nil {
			t.Error("something is lost")
		}
	})
}

// The servers were restored from a backup of theirs, and have fewer entries.
func TestReplicasAheadOfTheirLogAreLostUntilOneBeginsANewOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers := newTestServers()
		a := servers.newReplica(t.TempDir(), "a").start(t)
		enqueueAt(t, waitLeading(t, a), "ann", 30)
		b := servers.newReplica(t.TempDir(), "b").start(t)
		waitEqual(t, a, b)
		a.stop()
		b.stop()
		servers.set(func() { servers.entries = servers.entries[:10] })
		a, b = servers.newReplica(a.options.Dir, "a").start(t), servers.newReplica(b.options.Dir, "b").start(t)
		waitRefused(t, a, "has lost entries")
		waitRefused(t, b, "has lost entries")
		if err := a.Seed(t.Context()); err != nil {
			t.Fatal(err)
		}
		enqueueAt(t, waitLeading(t, a, b), "bob", 3)
		waitEqual(t, a, b)
		if find(t, b.Store, "msg_ann_29") == nil {
			t.Error("something is lost")
		}
	})
}

func TestFolderOfAnotherLogIsRefusedAndLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		theirs := newTestServers()
		other := theirs.newReplica(t.TempDir(), "other").start(t)
		enqueueAt(t, waitLeading(t, other), "zoe", 1)
		other.stop()
		servers := newTestServers()
		a := servers.newReplica(t.TempDir(), "a").start(t)
		enqueueAt(t, waitLeading(t, a), "ann", 3)
		strange := servers.newReplica(other.options.Dir, "strange").start(t)
		waitRefused(t, strange, "give this replica an empty state directory")
		if find(t, strange.Store, "msg_zoe_0") == nil {
			t.Error("its state is gone")
		}
	})
}

func TestReplicaThatWasASingleSidehookForAWhileIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers := newTestServers()
		a := servers.newReplica(t.TempDir(), "a").start(t)
		b := servers.newReplica(t.TempDir(), "b").start(t)
		leader := waitLeading(t, a, b)
		var epoch string
		do(t, leader.Store, func(tx *Tx) { tx.Enqueue(delivery("ann", 1)); epoch = tx.Epoch() })
		waitEqual(t, a, b)
		b.stop()
		single, stop := testStore(t, b.options.Dir)
		do(t, single, func(tx *Tx) {
			if tx.Epoch() == epoch {
				t.Error("both may give the same ids")
			}
		})
		stop()
		b = servers.newReplica(b.options.Dir, "b").start(t)
		waitRefused(t, b, "remove the key replicas")
	})
}

func TestRestoredBackupBeginsAnEmptyLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers := newTestServers()
		a := servers.newReplica(t.TempDir(), "a").start(t)
		enqueueAt(t, waitLeading(t, a), "ann", 3)
		dir := t.TempDir()
		restored := filepath.Join(dir, fileName)
		copied, err := a.engine.Load().copyTo(restored, ending{ctx: t.Context()})
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(closeDB(copied), FinishCopy(restored)); err != nil {
			t.Fatal(err)
		}
		others := newTestServers()
		b := others.newReplica(dir, "b").start(t)
		c := others.newReplica(t.TempDir(), "c").start(t)
		enqueueAt(t, waitLeading(t, b, c), "bob", 1)
		waitEqual(t, b, c)
		if find(t, c.Store, "msg_ann_2") == nil {
			t.Error("something is lost")
		}
	})
}

func TestReplicaWithADamagedFileLoadsASnapshot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers := newTestServers()
		a := servers.newReplica(t.TempDir(), "a").start(t)
		b := servers.newReplica(t.TempDir(), "b").start(t)
		leader := waitLeading(t, a, b)
		enqueueAt(t, leader, "ann", 50)
		waitEqual(t, a, b)
		b.stop()
		path := filepath.Join(b.options.Dir, fileName)
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		at := strings.LastIndex(string(content), "msg_ann_7")
		content[at]++
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		b = servers.newReplica(b.options.Dir, "b").start(t)
		_, _, _ = b.Owned("ann", 0)
		eventually(t, "it was loaded anew", func() bool {
			found, _, err := b.List(Query{ID: "msg_ann_7"})
			return err == nil && len(found) == 1
		})
		waitEqual(t, a, b)
	})
}

func TestSeedOfASingleSidehookIsRefused(t *testing.T) {
	s, _ := testStore(t, t.TempDir())
	if err := s.Seed(t.Context()); !errors.Is(err, ErrNoLog) {
		t.Errorf("got %v", err)
	}
}

func TestSeedEndsWithItsContextWhileTheLogCannotBeReached(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers := newTestServers()
		a := servers.newReplica(t.TempDir(), "a").start(t)
		a.line.cut(true)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := a.Seed(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}

// deleteAll deletes the log.
func (s *testServers) deleteAll() {
	s.set(func() {
		s.dropped, s.entries = 0, nil
		s.snapshots, s.names = map[string][]byte{}, nil
	})
}

// Operators at two replicas do the same.
func TestOfTwoReplicasThatSeedAtOnceOneWinsAndTheOtherLoadsItsState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers := newTestServers()
		a := servers.newReplica(t.TempDir(), "a").start(t)
		b := servers.newReplica(t.TempDir(), "b").start(t)
		enqueueAt(t, waitLeading(t, a, b), "ann", 3)
		waitEqual(t, a, b)
		servers.deleteAll()
		waitRefused(t, a, "sidehook replicas seed")
		waitRefused(t, b, "sidehook replicas seed")
		var seeding sync.WaitGroup
		for _, r := range []*testReplica{a, b} {
			seeding.Go(func() {
				if err := r.Seed(t.Context()); err != nil && !errors.Is(err, ErrAlive) {
					t.Error(err)
				}
			})
		}
		seeding.Wait()
		enqueueAt(t, waitLeading(t, a, b), "bob", 3)
		waitEqual(t, a, b)
	})
}

// The connection is lost, or the process stops, while the first snapshot is saved.
func TestBeginningOfALogThatIsInterruptedGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers := newTestServers()
		dir, epoch := singleDir(t, "ann")
		a := servers.newReplica(dir, "a")
		saving := make(chan struct{})
		a.line.hold.Store(&saving)
		a.start(t)
		<-saving
		a.stop()
		if got := lastEntry(t, a); got != 0 {
			t.Fatalf("the log has %d entries", got)
		}
		b := servers.newReplica(t.TempDir(), "b").start(t)
		a = servers.newReplica(dir, "a again").start(t)
		leader := waitLeading(t, a, b)
		enqueueAt(t, leader, "bob", 3)
		waitEqual(t, a, b)
		do(t, leader.Store, func(tx *Tx) {
			if tx.Epoch() != epoch {
				t.Error("the ids of the single sidehook are not valid any more")
			}
		})
	})
}

// lastEntry returns the number of the last entry of the log.
func lastEntry(t *testing.T, r *testReplica) uint64 {
	t.Helper()
	_, last, err := r.line.Extent(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return last
}
