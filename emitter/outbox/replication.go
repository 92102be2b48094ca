package outbox

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

const (
	// beatEvery is how often a leader says that it leads, if it writes nothing else.
	beatEvery = 500 * time.Millisecond
	// leadsFor is for how long after it last began to write it may act outside.
	leadsFor = time.Second
	// silence is for how long nothing must have come from a leader before another
	// takes over, and silenceSpread what is added to it at random, at most.
	silence       = 2 * time.Second
	silenceSpread = 500 * time.Millisecond
	// leaveSpread is silenceSpread where the leader said that it stops.
	leaveSpread = 50 * time.Millisecond
	// askBefore is how long before it tries to lead a replica looks whether the log can
	// be reached.
	askBefore = 500 * time.Millisecond
	// logPatience is how long one attempt to ask the log or to write to it takes, at most.
	logPatience = 2 * time.Second
	// lostPatience is how long the servers must say that the log has lost entries until it
	// counts as true.
	lostPatience = 10 * time.Second
	// refusedPause is how often a replica that is refused tries again.
	refusedPause = 10 * time.Second
	// noteEvery is how often the place of entries without changes is noted in the file.
	noteEvery = time.Minute
)

var (
	// errLog is the error of a log that does not answer.
	errLog = errors.New("the log of the replicas cannot be reached")
	// errUnsaved is the error of a snapshot without which a log cannot begin.
	errUnsaved = errors.New("cannot begin the log of the replicas")
	// errLost is the error of a file that has lost something.
	errLost = errors.New("records of the state file are damaged: a snapshot replaces it")
)

// replication keeps the state file like those of the other replicas: what is in the
// log, and nothing else.
//
//	leading     changes ─► entry ─► Log.Write ─► the file
//	following              entries ◄─ Log.Written ─► the file
//
// It belongs to the writer, but for what has a lock of its own.
type replication struct {
	log         sharedLog
	logger      *slog.Logger
	incarnation string
	terms       terms

	// leads reports that a term of this replica has begun and not ended.
	leads bool
	// leader is who wrote last.
	leader string
	// at is behind the last entry that was applied or written, and settled behind the
	// last one that the file may note: entries that are only a part of a commit have to
	// be read again. noted is what the file has noted, notedAt when.
	at, settled, noted place
	notedAt            time.Time
	// last is the number of the last entry that there is, as far as it is known, and
	// heard when one was read or written.
	last  uint64
	heard time.Time
	// patience is how long after that the replica tries to lead, asked when it has asked
	// the log whether there is nothing new; zero if it has not in this silence.
	patience time.Duration
	asked    time.Time
	// unloaded is why the file could not be made from a snapshot, or be the first one; nil
	// once it was.
	unloaded error
	// problem is why the log could not be asked last; nil if it could.
	problem error
	// parts are those of a commit that is not complete.
	parts []byte
	// incoming has entries of others, nil while none are read; isChecked reports that the
	// one at which reading began was the right one.
	incoming  *incoming
	isChecked bool
	// held has what was read and is not in the file yet, nil without.
	held *overlay
	// proposal is what is on its way into the log and the file, nil without.
	proposal *proposal
	// claimed is the place behind the entryLead that was written last, claimedAt when.
	claimed   place
	claimedAt time.Time

	// wrote is when the write that was acknowledged last began; nil outside of a term.
	wrote atomic.Pointer[time.Time]
	// takeovers is how many terms have begun.
	takeovers atomic.Uint64
	// lostSince is since when the servers say that the log lacks what this replica has, zero
	// if they do not.
	lostSince time.Time
	// differs reports that the log has another entry than the file goes on from, emptySince
	// is since when it has none.
	differs    bool
	emptySince time.Time
	// suspects are records that readers found damaged.
	suspects chan suspect

	mu     sync.Mutex
	shown  Replica
	logged logged
	// logs bounds how often a reason is logged that only takes other words.
	logs rate.Sometimes
}

func newReplication(s *Store) *replication {
	r := &replication{
		log: sharedLog{s.options.Log}, logger: s.log, incarnation: s.options.Incarnation, suspects: make(chan suspect, 1),
	}
	if r.incarnation == "" {
		r.incarnation = rand.Text()
	}
	r.logs.Interval = logEvery
	r.terms.init(s.changes.poke)
	r.shown = Replica{Role: RoleBehind, Since: time.Now(), Incarnation: r.incarnation}
	return r
}

// ask returns a context for one question to the log, which does not end with the
// writer: what was begun before is still written.
func (r *replication) ask() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), logPatience)
}

// noteIn adds to the changes of a commit the place that they lead to.
func (r *replication) noteIn(changes *overlay, p place) { changes.set(p.record()) }

// hasNoted notes that a commit had a place.
func (r *replication) hasNoted(p place) { r.noted, r.notedAt = p, time.Now() }

// mustNote reports whether the file should note a place though nothing changes.
func (r *replication) mustNote() bool {
	return r.settled != r.noted && time.Since(r.notedAt) >= noteEvery
}

// leadsNow reports whether the replica leads and has written in time.
func (r *replication) leadsNow() bool {
	wrote := r.wrote.Load()
	return wrote != nil && time.Since(*wrote) <= leadsFor
}

// commitNote writes a commit with changes, which may be none, and the place they lead to.
func (w *writer) commitNote(changes *overlay, p place) (err error) {
	defer guard(&err)()
	v, err := w.engine.view()
	if err != nil {
		return err
	}
	defer v.end()
	w.replication.noteIn(changes, p)
	if err := w.engine.commit(v, changes); err != nil {
		return err
	}
	w.replication.hasNoted(p)
	return nil
}
