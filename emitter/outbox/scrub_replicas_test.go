package outbox

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/klauspost/compress/s2"
)

const canary = "ann-canary"

// putCanaries stores what is to be forgotten, and rewrites it so that old versions are
// all over files and log.
func putCanaries(t *testing.T, leader *testReplica) {
	t.Helper()
	for n := range 30 {
		do(t, leader.Store, func(tx *Tx) {
			tx.PutJourney("3\x00ann", []byte(strings.Repeat(canary+" ", 50*n)), seen(at(n)))
			tx.PutJourney("3\x00bob", []byte(strings.Repeat("bob-canary ", 50*n)), seen(at(n)))
		})
	}
}

// countCanaries counts what is left in entries, snapshots and files, as text that says where.
func countCanaries(t *testing.T, servers *testServers, replicas ...*testReplica) (left string) {
	t.Helper()
	note := func(where string, content []byte) {
		if n := bytes.Count(content, []byte(canary)); n > 0 {
			left += fmt.Sprintf("%d in %s; ", n, where)
		}
	}
	for _, e := range servers.all(t) {
		if e.kind == entryChanges {
			decoded, err := s2.Decode(nil, e.data)
			if err != nil {
				t.Fatal(err)
			}
			note(fmt.Sprint("entry ", e.index), decoded)
		}
	}
	servers.mu.Lock()
	for name, content := range servers.snapshots {
		file, err := io.ReadAll(s2.NewReader(bytes.NewReader(content)))
		if err != nil {
			t.Error(err)
		}
		note("snapshot "+name, file)
	}
	servers.mu.Unlock()
	for _, r := range replicas {
		for name, content := range readState(t, r.options.Dir) {
			note(r.options.Incarnation+"'s "+name, content)
		}
	}
	return left
}

// waitScrubbed waits until no replica has something left to overwrite.
func waitScrubbed(t *testing.T, replicas ...*testReplica) {
	t.Helper()
	eventually(t, "all files are overwritten", func() bool {
		for _, r := range replicas {
			if mark, err := r.scrubMark(); err != nil || mark != nil {
				return false
			}
		}
		return true
	})
}

func TestScrubLeavesNothingAtAnyReplicaInTheLogOrInASnapshot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers := newTestServers()
		a := servers.newReplica(t.TempDir(), "a").start(t)
		leader := waitLeading(t, a)
		b, c := servers.newReplica(t.TempDir(), "b").start(t), servers.newReplica(t.TempDir(), "c").start(t)
		putCanaries(t, leader)
		before := lastSnapshot(t, leader)
		makeSnapshotDue(leader)
		eventually(t, "a snapshot was saved", func() bool { return lastSnapshot(t, leader) != before })
		waitEqual(t, a, b, c)
		c.stop() // it is away while the others erase
		if left := countCanaries(t, servers, a, b, c); strings.Count(left, ";") < 5 || !strings.Contains(left, "snapshot") {
			t.Fatalf("there is %q before the scrub, so that this test proves nothing", left)
		}
		if err := b.Scrub(t.Context()); !errors.Is(err, ErrFollows) {
			t.Errorf("on a follower Scrub returned %v", err)
		}
		do(t, leader.Store, func(tx *Tx) { tx.DropJourney("3\x00ann") })
		if err := leader.Scrub(t.Context()); err != nil {
			t.Fatal(err)
		}
		waitScrubbed(t, a, b)
		if left := countCanaries(t, servers, a, b); left != "" {
			t.Errorf("there is %s", left)
		}
		c = servers.newReplica(c.options.Dir, "c again").start(t)
		waitEqual(t, a, b, c)
		waitScrubbed(t, c)
		if left := countCanaries(t, servers, a, b, c); left != "" {
			t.Errorf("there is %s", left)
		}
		if keys, err := c.JourneyKeys("", "\x00bob"); err != nil || len(keys) != 1 {
			t.Errorf("of the other participant there is %q (%v)", keys, err)
		}
	})
}

// The log still has what is to be forgotten when the leader stops, and another one
// drops it.
func TestScrubThatDoesNotComeToItsEndIsFinishedByTheNextLeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers := newTestServers()
		a := servers.newReplica(t.TempDir(), "a").start(t)
		waitLeading(t, a)
		b := servers.newReplica(t.TempDir(), "b").start(t)
		putCanaries(t, a)
		do(t, a.Store, func(tx *Tx) { tx.DropJourney("3\x00ann") })
		a.exclusive.Lock() // so that its upkeep does not begin
		if err := a.inWriter(t.Context(), (*writer).sayScrub); err != nil {
			t.Fatal(err)
		}
		a.stop()
		leader := waitLeading(t, b)
		eventually(t, "the log was dropped", func() bool { return countCanaries(t, servers) == "" })
		a = servers.newReplica(a.options.Dir, "a again").start(t)
		waitEqual(t, leader, a)
		waitScrubbed(t, a, b)
		if left := countCanaries(t, servers, a, b); left != "" {
			t.Errorf("there is %s", left)
		}
	})
}

// A snapshot that is saved in the background yields to an operator.
func TestBackupIsNotRefusedBecauseOfASnapshot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers := newTestServers()
		a := servers.newReplica(t.TempDir(), "a").start(t)
		waitLeading(t, a)
		saving := make(chan struct{})
		a.line.hold.Store(&saving)
		makeSnapshotDue(a)
		<-saving
		began := time.Now()
		if err := a.Backup(t.Context(), func(int64) io.Writer { return io.Discard }); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took > busyPatience/2 {
			t.Errorf("it took %s", took)
		}
	})
}
