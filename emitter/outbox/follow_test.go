package outbox

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// refusedReplica runs two replicas, does something to the log while the one that follows is
// stopped, and returns it once it is refused.
func refusedReplica(t *testing.T, spoil func(servers *testServers)) (leader, follower *testReplica) {
	t.Helper()
	servers, dirs := newTestServers(), memberDirs(t, 2)
	leader = servers.newReplica(dirs[0], "a").start(t)
	waitLeading(t, leader)
	follower = servers.newReplica(dirs[1], "b").start(t)
	do(t, leader.Store, func(tx *Tx) { tx.Enqueue(delivery("ann", 1)) })
	waitEqual(t, leader, follower)
	follower.stop()
	leader.stop()
	spoil(servers)
	follower = servers.newReplica(dirs[1], "b again").start(t)
	eventually(t, "it is refused", func() bool { return follower.Replica().Role == RoleRefused })
	time.Sleep(time.Minute)
	if got := follower.Replica(); got.Role != RoleRefused || follower.Leads() || follower.terms.Load() != 0 {
		t.Errorf("it became %+v", got)
	}
	if find(t, follower.Store, "msg_ann_1") == nil {
		t.Error("what it has cannot be read")
	}
	if err := follower.Do(t.Context(), func(*Tx) {}); !errors.Is(err, ErrFollows) {
		t.Errorf("Do returned %v", err)
	}
	return leader, follower
}

func TestReplicaThatDoesNotGoWithTheLogIsRefusedAndNeverLeads(t *testing.T) {
	f := func(want string, spoil func(*testServers)) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			_, follower := refusedReplica(t, spoil)
			if got := follower.Replica().Reason; !strings.Contains(got, want) {
				t.Errorf("its reason is %q, want %q", got, want)
			}
		})
	}
	f(ErrNewer.Error(), func(s *testServers) { s.forge(t, func(b []byte) { b[0]++ }) })
	f(ErrNewer.Error(), func(s *testServers) { s.forge(t, func(b []byte) { b[1] = byte(entryKindEnd) }) })
	f("has another in its place", func(s *testServers) { s.forge(t, func(b []byte) { b[chainAt]++ }) })
	f("has another in its place", func(s *testServers) { s.entries[len(s.entries)-1][chainAt]++ })
	f("has lost entries", func(s *testServers) { s.entries = s.entries[:len(s.entries)-3] })
	f("has lost entries", func(s *testServers) { s.entries = nil })
}

// Even if it is the last entry, and no other one follows that would tell.
func TestReplicaIsRefusedByALogThatHasAnotherEntryThanItsFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers, dirs := newTestServers(), memberDirs(t, 1)
		a := servers.newReplica(dirs[0], "a").start(t)
		waitLeading(t, a)
		do(t, a.Store, func(tx *Tx) { tx.Enqueue(delivery("ann", 1)) })
		a.stop()
		noted := a.writer.replication.noted.number
		servers.entries = servers.entries[:noted]
		servers.entries[noted-1][chainAt]++
		a = servers.newReplica(dirs[0], "a again").start(t)
		eventually(t, "it is refused", func() bool { return a.Replica().Role == RoleRefused })
		time.Sleep(time.Minute)
		if n := len(servers.all(t)); uint64(n) != noted || a.terms.Load() > 0 {
			t.Errorf("the log has %d entries, want %d", n, noted)
		}
	})
}

func TestReplicaAppliesWhatComesBeforeAnEntryOfANewerRelease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers, dirs := newTestServers(), memberDirs(t, 2)
		a := servers.newReplica(dirs[0], "a").start(t)
		waitLeading(t, a)
		do(t, a.Store, func(tx *Tx) { tx.Enqueue(delivery("ann", 1)) })
		a.stop()
		servers.forge(t, func(b []byte) { b[0]++ })
		b := servers.newReplica(dirs[1], "b").start(t)
		eventually(t, "it is refused", func() bool { return b.Replica().Role == RoleRefused })
		if stateOf(t, b.Store, "msg_ann_1") == "none" {
			t.Error("it lacks what came before")
		}
	})
}

func TestReplicaThatWasRefusedFollowsOnceItGoesWithTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var lost [][]byte
		_, follower := refusedReplica(t, func(s *testServers) { lost, s.entries = s.entries, s.entries[:1] })
		follower.line.set(func() { follower.line.entries = lost })
		waitLeading(t, follower)
		do(t, follower.Store, func(tx *Tx) { tx.Enqueue(delivery("ann", 2)) })
	})
}

func TestStoreThatIsAloneAgainMintsNoIDOfTheReplicas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers, dirs := newTestServers(), memberDirs(t, 1)
		a := servers.newReplica(dirs[0], "a").start(t)
		waitLeading(t, a)
		var before, after identity
		do(t, a.Store, func(tx *Tx) { before = tx.identity; tx.SetSeen(3); tx.SetSeenFrom("a", 4) })
		a.stop()
		s, stop := testStore(t, dirs[0])
		do(t, s, func(tx *Tx) {
			if after = tx.identity; tx.Seen() != 0 || tx.SeenFrom("a") != 0 || tx.has(bucketMeta, keyApplied) {
				t.Error("it still belongs to the log")
			}
		})
		if before.epoch == after.epoch || before.salt != after.salt {
			t.Errorf("its identity was %v and is %v", before, after)
		}
		stop()
		s, _ = testStore(t, dirs[0])
		do(t, s, func(tx *Tx) {
			if tx.identity != after {
				t.Error("its next start draws another epoch")
			}
		})
	})
}

func TestReplicaSaysThatItCannotReachTheLogUntilItCan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers, dirs := newTestServers(), memberDirs(t, 2)
		a := servers.newReplica(dirs[0], "a").start(t)
		waitLeading(t, a)
		b := servers.newReplica(dirs[1], "b").start(t)
		waitEqual(t, a, b)
		b.line.cut(true)
		eventually(t, "it says so", func() bool { return b.Replica().Role == RoleBehind })
		for range 100 {
			if got := b.Replica(); got.Role != RoleBehind || !strings.HasPrefix(got.Reason, errLog.Error()+": ") {
				t.Fatalf("it became %+v", got)
			}
			time.Sleep(100 * time.Millisecond)
		}
		b.line.cut(false)
		eventually(t, "it follows", func() bool { return b.Replica().Role == RoleFollowing && b.Replica().Reason == "" })
		if !a.Leads() {
			t.Error("a leads no more")
		}
	})
}

func TestReplicaThatCannotOpenItsFileSaysWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers, dirs := newTestServers(), memberDirs(t, 1)
		first := servers.newReplica(dirs[0], "a").start(t)
		waitLeading(t, first)
		second := servers.newReplica(dirs[0], "b").start(t)
		eventually(t, "it says why", func() bool { return strings.Contains(second.Replica().Reason, "another process uses it") })
		first.stop()
		eventually(t, "it leads", func() bool { got := second.Replica(); return got.Role == RoleLeading && got.Reason == "" })
	})
}

func TestALogThatHasLostEntriesIsBelievedOnceTheServersSaySoForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, err := &replication{}, error(&LostError{Applied: 7})
		f := func(after time.Duration, err error, want bool) {
			t.Helper()
			time.Sleep(after)
			if got := r.mayBeWrong(err); got != want {
				t.Errorf("%s later, %v may be wrong: %t", after, err, got)
			}
		}
		f(0, err, true)
		f(lostPatience-time.Second, err, true)
		f(time.Second, err, false)
		f(0, errJoinWaits, false)
	})
}
