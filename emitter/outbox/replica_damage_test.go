package outbox

import (
	"bytes"
	"errors"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	bolt "go.etcd.io/bbolt"
)

// spoilDelivery damages the record of a delivery in a file that nobody has open.
func spoilDelivery(t *testing.T, dir string, seq uint64) {
	t.Helper()
	db, err := openDB(filepath.Join(dir, fileName))
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bolt.Tx) error {
		records := tx.Bucket(bucketDeliveries.name())
		value := bytes.Clone(records.Get(uint64Key(seq)))
		value[len(value)/2] ^= 1
		return records.Put(uint64Key(seq), value)
	})
	if err = errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestReplicaWhoseFileIsDamagedLeadsNoMoreAndRepairsNothing(t *testing.T) {
	f := func(find func(t *testing.T, a *testReplica)) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			servers, dirs := newTestServers(), memberDirs(t, 2)
			a := servers.newReplica(dirs[0], "a").start(t)
			waitLeading(t, a)
			do(t, a.Store, func(tx *Tx) { tx.Enqueue(delivery("ann", 1)); tx.Enqueue(delivery("bob", 2)) })
			a.stop()
			spoilDelivery(t, dirs[0], 1)
			a = servers.newReplica(dirs[0], "a again").start(t)
			waitLeading(t, a)
			find(t, a)
			eventually(t, "it stops to lead", func() bool { return servers.count(t)[entryLeave] == 2 })
			b := servers.newReplica(dirs[1], "b").start(t)
			waitLeading(t, a, b)
			eventually(t, "b has applied everything", func() bool { return b.Replica().Applied == uint64(len(servers.all(t))) })
			if stateOf(t, b.Store, "msg_ann_1") != "waiting" {
				t.Error("the other replica has lost the record too")
			}
			if found, err := b.Damaged(10); err != nil || len(found) > 0 {
				t.Errorf("the other replica lists %v as damaged, %v", found, err)
			}
		})
	}
	f(func(t *testing.T, a *testReplica) { // a reader
		_, _, _ = a.Due("crm", at(60), 10, nil)
	})
	f(func(t *testing.T, a *testReplica) { // a change
		err := a.Do(t.Context(), func(tx *Tx) { tx.Redeliver(1, at(60)); tx.delivery(1) })
		if !errors.Is(err, ErrFollows) {
			t.Errorf("the change that met it returned %v", err)
		}
	})
}

// A file that turns out to be damaged when a change is to be written, though the log
// has it already.
func TestChangeThatTheLogHasIsMadeOnceTheFileIsOpenedAgain(t *testing.T) {
	f := func(isInJournal bool) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) { failAfterTheLog(t, isInJournal) })
	}
	f(true)
	f(false)
}

func failAfterTheLog(t *testing.T, isInJournal bool) {
	t.Helper()
	servers, dirs := newTestServers(), memberDirs(t, 1)
	a, disk := servers.newReplica(dirs[0], "a"), &fullDisk{}
	a.disk = disk
	a.start(t)
	waitLeading(t, a)
	do(t, a.Store, func(tx *Tx) { tx.Enqueue(delivery("bob", 1)) })
	disk.failsToWrite.Store(!isInJournal)
	disk.fails.Store(new(errCorrupt))
	a.line.beforeWrites(func(e logEntry) { // the next one, by which it leads again
		if e.kind == entryLead {
			disk.fails.Store(nil)
		}
	})
	time.AfterFunc(5*time.Second, func() { disk.fails.Store(nil) })
	done, _ := a.Submit(0, func(tx *Tx) { tx.Enqueue(delivery("ann", 1)) })
	waiting := make(chan error, 1)
	go func() { waiting <- a.Do(t.Context(), func(tx *Tx) { tx.Enqueue(delivery("ann", 2)) }) }()
	<-done
	err := <-waiting
	waitLeading(t, a)
	if stateOf(t, a.Store, "msg_ann_1") == "none" {
		t.Error("the change is lost")
	}
	if isMade := stateOf(t, a.Store, "msg_ann_2") != "none"; isMade != (err == nil) {
		t.Errorf("the change after it returned %v; it was made: %t", err, isMade)
	}
	if got := a.terms.Load(); got != 2 {
		t.Errorf("it led %d times, want 2", got)
	}
}
