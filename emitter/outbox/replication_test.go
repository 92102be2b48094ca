package outbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/sidehook/sidehook/rules/config"
)

func TestReplicaThatFollowsHasWhatTheLeaderWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers, dirs := newTestServers(), memberDirs(t, 2)
		a, b := servers.newReplica(dirs[0], "a").start(t), servers.newReplica(dirs[1], "b").start(t)
		leader := waitLeading(t, a, b)
		for n := range 20 {
			do(t, leader.Store, func(tx *Tx) { tx.Enqueue(delivery(fmt.Sprint(n%3), n)) })
		}
		do(t, leader.Store, func(tx *Tx) { tx.Delivered(1, Attempt{At: at(30)}); tx.DrawEpoch() })
		waitEqual(t, a, b)
		follower := a
		if leader == a {
			follower = b
		}
		if got := dueIDs(t, follower.Store, "crm", at(60)); len(got) != 3 {
			t.Errorf("the follower has %q due, want the heads of 3 lanes", got)
		}
		if _, ok := follower.Submit(0, func(*Tx) {}); ok {
			t.Error("a follower took a change")
		}
		if err := follower.Do(t.Context(), func(*Tx) {}); !errors.Is(err, ErrFollows) {
			t.Errorf("on a follower Do returned %v", err)
		}
		if got := follower.Replica(); got.Role != RoleFollowing || got.Leader != leader.Replica().Incarnation || got.Last != got.Applied {
			t.Errorf("the follower says %+v", got)
		}
		if got := leader.Replica(); got.Role != RoleLeading {
			t.Errorf("the leader says %+v", got)
		}
	})
}

func TestReplicaTakesOverAtOnceFromALeaderThatStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers, dirs := newTestServers(), memberDirs(t, 2)
		a := servers.newReplica(dirs[0], "a").start(t)
		waitLeading(t, a)
		b := servers.newReplica(dirs[1], "b").start(t)
		do(t, a.Store, func(tx *Tx) { tx.Enqueue(delivery("ann", 1)); tx.DrawEpoch() })
		epoch := ""
		do(t, a.Store, func(tx *Tx) { epoch = tx.Epoch() })
		a.stop()
		stopped := time.Now()
		waitLeading(t, b)
		if took := time.Since(stopped); took > 200*time.Millisecond {
			t.Errorf("it took %s", took)
		}
		do(t, b.Store, func(tx *Tx) {
			if tx.Epoch() != epoch {
				t.Error("the new leader has another epoch than the last one drew")
			}
			tx.Enqueue(delivery("ann", 2))
		})
		a = servers.newReplica(dirs[0], "a again").start(t)
		waitEqual(t, a, b)
	})
}

func TestReplicaTakesOverFromALeaderThatIsCutOffWhichThenDropsWhatItCouldNotWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers, dirs := newTestServers(), memberDirs(t, 2)
		a := servers.newReplica(dirs[0], "a").start(t)
		waitLeading(t, a)
		b := servers.newReplica(dirs[1], "b").start(t)
		do(t, a.Store, func(tx *Tx) { tx.Enqueue(delivery("ann", 1)) })
		waitEqual(t, a, b)
		a.line.cut(true)
		done, ok := a.Submit(0, func(tx *Tx) { tx.Enqueue(delivery("bob", 1)) })
		if !ok {
			t.Fatal("the leader took no change")
		}
		answer := make(chan error, 1)
		go func() { answer <- a.Do(t.Context(), func(tx *Tx) { tx.Enqueue(delivery("bob", 2)) }) }()
		cut := time.Now()
		eventually(t, "a says that it leads no more", func() bool { return !a.Leads() })
		if b.Leads() {
			t.Error("both lead")
		}
		waitLeading(t, b)
		if took := time.Since(cut); took < time.Second || took > 4*time.Second {
			t.Errorf("it took %s", took)
		}
		do(t, b.Store, func(tx *Tx) { tx.Enqueue(delivery("bob", 3)) })
		a.line.cut(false)
		<-done
		if err := <-answer; !errors.Is(err, ErrFollows) {
			t.Errorf("Do returned %v", err)
		}
		waitEqual(t, a, b)
		eventually(t, "the term of a has ended", func() bool { return a.inTerm.Load() == 0 })
		if find(t, a.Store, "msg_bob_1") != nil || find(t, a.Store, "msg_bob_3") == nil {
			t.Error("a has what it could not write, or lacks what b has written")
		}
	})
}

func TestChangeWhoseAcknowledgementIsLostIsMadeOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers, dirs := newTestServers(), memberDirs(t, 2)
		a := servers.newReplica(dirs[0], "a").start(t)
		waitLeading(t, a)
		a.line.deafen(true)
		time.AfterFunc(10*time.Second, func() { a.line.deafen(false) })
		do(t, a.Store, func(tx *Tx) { tx.Enqueue(delivery("ann", 1)) })
		b := servers.newReplica(dirs[1], "b").start(t)
		waitEqual(t, a, b)
		changes := 0
		for _, e := range servers.all(t) {
			if e.kind == entryChanges {
				changes++
			}
		}
		if got := find(t, b.Store, "msg_ann_1"); got == nil || changes > 2 { // and what a leader does at first
			t.Errorf("b has %v, after %d entries with changes", got, changes)
		}
	})
}

func TestReplicaThatLosesTheAnswerToItsClaimLeadsOnceItReadsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers, dirs := newTestServers(), memberDirs(t, 1)
		a := servers.newReplica(dirs[0], "a")
		a.line.deafen(true)
		a.start(t)
		eventually(t, "it leads", func() bool { return a.Replica().Role == RoleLeading })
		if n := len(servers.all(t)); n > 2 {
			t.Errorf("it wrote %d entries", n)
		}
		a.line.deafen(false)
		do(t, a.Store, func(tx *Tx) { tx.Enqueue(delivery("ann", 1)) })
	})
}

func TestTermBeginsOnlyOnceTheLastOneHasReturned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers, dirs := newTestServers(), memberDirs(t, 1)
		a := servers.newReplica(dirs[0], "a")
		run(t, a.Store)
		time.Sleep(time.Minute)
		if a.Leads() || len(servers.all(t)) != 0 {
			t.Fatal("it leads though nobody serves its terms")
		}
		ctx, cancel := context.WithCancel(t.Context())
		begun, hold := make(chan struct{}), make(chan struct{})
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			a.Lead(ctx, func(ctx context.Context) { begun <- struct{}{}; <-ctx.Done(); <-hold })
		}()
		<-begun
		servers.forge(t, func([]byte) {}) // another one takes its place
		eventually(t, "it follows", func() bool { return a.Replica().Role == RoleFollowing })
		time.Sleep(time.Minute)
		if a.Leads() {
			t.Error("it leads though the function of its last term has not returned")
		}
		hold <- struct{}{}
		<-begun
		cancel()
		hold <- struct{}{}
		<-ended
		eventually(t, "it leaves", func() bool { all := servers.all(t); return all[len(all)-1].kind == entryLeave })
	})
}

func TestRetentionIsAppliedByTheLeaderAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers, dirs := newTestServers(), memberDirs(t, 2)
		a, b := servers.newReplica(dirs[0], "a"), servers.newReplica(dirs[1], "b")
		for _, r := range []*testReplica{a, b} {
			r.writer.trimmer.retention.Delivered = config.Duration(time.Hour)
		}
		a.start(t)
		waitLeading(t, a)
		b.start(t)
		do(t, a.Store, func(tx *Tx) { tx.Enqueue(delivery("ann", 1)) })
		do(t, a.Store, func(tx *Tx) { tx.Delivered(1, Attempt{At: time.Now()}) })
		waitEqual(t, a, b)
		if stateOf(t, b.Store, "msg_ann_1") != "delivered" {
			t.Error("b lacks the delivery")
		}
		time.Sleep(2 * time.Hour)
		waitEqual(t, a, b)
		if stateOf(t, a.Store, "msg_ann_1") != "none" || stateOf(t, b.Store, "msg_ann_1") != "none" {
			t.Error("the delivery is still there")
		}
		for _, e := range servers.all(t) {
			if e.leader != "a" {
				t.Errorf("%s has written", e.leader)
			}
		}
	})
}

func TestTermWakesThoseWhoWaitForDeliveries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers, dirs := newTestServers(), memberDirs(t, 1)
		a := servers.newReplica(dirs[0], "a")
		run(t, a.Store)
		ready := a.Ready("crm")
		eventually(t, "it follows", func() bool { return a.Replica().Role == RoleFollowing })
		<-ready // that the file was opened
		go a.Lead(t.Context(), func(ctx context.Context) { <-ctx.Done() })
		waitLeading(t, a)
		select {
		case <-ready:
		default:
			t.Error("nobody was woken")
		}
	})
}

func TestMetricsOfReplicasAreThereForReplicasAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		names := []string{"sidehook_leads", "sidehook_takeovers_total", "sidehook_replica_entries_behind"}
		alone := prometheus.NewRegistry()
		New(Options{Dir: t.TempDir(), Logger: slog.New(slog.DiscardHandler), Metrics: alone})
		if n, err := testutil.GatherAndCount(alone, names...); n != 0 || err != nil {
			t.Errorf("a store that is alone has %d of them, %v", n, err)
		}
		servers, dirs, registry := newTestServers(), memberDirs(t, 1), prometheus.NewRegistry()
		a := &testReplica{line: &testLog{testServers: servers}}
		a.Store = New(Options{Dir: dirs[0], Logger: slog.New(slog.DiscardHandler), Metrics: registry, Log: a.line})
		a.start(t)
		waitLeading(t, a)
		want := `
# HELP sidehook_leads Whether this replica leads.
# TYPE sidehook_leads gauge
sidehook_leads 1
# HELP sidehook_takeovers_total How often this replica began to lead.
# TYPE sidehook_takeovers_total counter
sidehook_takeovers_total 1
# HELP sidehook_replica_entries_behind Entries of the log that this replica knows of and has not applied.
# TYPE sidehook_replica_entries_behind gauge
sidehook_replica_entries_behind 0
`
		if err := testutil.GatherAndCompare(registry, strings.NewReader(want), names...); err != nil {
			t.Error(err)
		}
	})
}

func TestTermThatEndsBeforeItIsServedLeavesRoomForAnother(t *testing.T) {
	var one terms
	one.init(func() {})
	if one.begin() {
		t.Error("a term began that nobody serves")
	}
	one.set(termReady)
	for range 2 {
		if !one.begin() || one.begin() {
			t.Fatal("not exactly one term began")
		}
		one.finish()
	}
}

func TestFilesNoteOnceAMinuteHowFarTheyAreInALogOfBeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers, dirs := newTestServers(), memberDirs(t, 2)
		a, b := servers.newReplica(dirs[0], "a").start(t), servers.newReplica(dirs[1], "b").start(t)
		waitLeading(t, a, b)
		time.Sleep(10 * time.Minute)
		last := uint64(len(servers.all(t)))
		for _, r := range []*testReplica{a, b} {
			err := r.view(func(v *view) error {
				at, _, _ := v.place()
				if beats := uint64(noteEvery / beatEvery); at.index+beats+5 < last || at.index > last {
					t.Errorf("the file of %s notes entry %d of %d", r.Replica().Incarnation, at.index, last)
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		}
	})
}

// It is the same for the replicas that take over: they would follow each other in a circle.
func TestALeaderWhoseDiskIsSlowGoesOnLeadingUntilItHangs(t *testing.T) {
	f := func(name string, getsOn bool) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				servers, dirs := newTestServers(), memberDirs(t, 2)
				a := servers.newReplica(dirs[0], "a").start(t)
				waitLeading(t, a)
				b := servers.newReplica(dirs[1], "b").start(t)
				waitEqual(t, a, b)
				checkpoint := fillJournal(t, a.Store)
				leads := true
				for range 60 { // seconds
					if getsOn {
						checkpoint.step()
					}
					time.Sleep(time.Second)
					leads = leads && a.Leads()
				}
				if leads != getsOn {
					t.Errorf("a has led all the time: %t", leads)
				}
				if hasTakenOver := b.terms.Load() > 0; hasTakenOver == getsOn {
					t.Errorf("b took over: %t", hasTakenOver)
				}
				checkpoint.running <- nil
				do(t, waitLeading(t, a, b).Store, func(tx *Tx) { tx.Enqueue(delivery("ann", 1)) })
				waitEqual(t, a, b)
			})
		})
	}
	f("its checkpoint gets on", true)
	f("its checkpoint hangs", false)
}

// fillJournal makes the journal full, and returns a checkpoint that is never done.
func fillJournal(t *testing.T, s *Store) (checkpoint *frozen) {
	t.Helper()
	do(t, s, func(*Tx) { // which is called by the writer
		e := s.writer.engine
		e.collect(true, func() {})
		checkpoint = &frozen{changes: newOverlay(), running: make(chan error, 1), cancel: func() {}, steps: make(chan struct{}, 1)}
		e.frozen = checkpoint
		e.active.memory += 2 * int(e.journal.limit)
	})
	return checkpoint
}

func TestALeaderGoesOnLeadingWhileAChangeTakesLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers, dirs := newTestServers(), memberDirs(t, 2)
		a := servers.newReplica(dirs[0], "a").start(t)
		waitLeading(t, a)
		b := servers.newReplica(dirs[1], "b").start(t)
		waitEqual(t, a, b)
		do(t, a.Store, func(tx *Tx) {
			for range 15 { // seconds
				time.Sleep(time.Second)
				tx.Beat()
			}
			tx.Enqueue(delivery("ann", 1))
		})
		if b.terms.Load() > 0 || !a.Leads() {
			t.Error("b has taken over")
		}
		waitEqual(t, a, b)
	})
}

func TestAChangeThatTakesLongIsLeftToTheReplicaThatHasTakenOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers, dirs := newTestServers(), memberDirs(t, 2)
		a := servers.newReplica(dirs[0], "a").start(t)
		waitLeading(t, a)
		b := servers.newReplica(dirs[1], "b").start(t)
		waitEqual(t, a, b)
		goesOn := true
		err := a.Do(t.Context(), func(tx *Tx) {
			tx.Enqueue(delivery("ann", 1))
			time.Sleep(5 * time.Second)
			goesOn = tx.Beat()
		})
		if goesOn || !errors.Is(err, ErrFollows) {
			t.Errorf("it goes on: %t, and Do returned %v", goesOn, err)
		}
		waitLeading(t, b)
		waitEqual(t, a, b)
		if find(t, a.Store, "msg_ann_1") != nil {
			t.Error("the change was made")
		}
	})
}
