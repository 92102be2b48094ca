package outbox

import (
	"context"
	"fmt"
	"time"
)

const (
	// snapshotAfter is how many bytes of entries there are before the next snapshot is
	// made, or as many as the last snapshot had if that was more.
	snapshotAfter = 64 << 20
	// snapshotsKept is how many snapshots there are: while one is loaded, the next may
	// be saved.
	snapshotsKept = 2
	// uncountedEntry is what an entry is taken to have that was not read.
	uncountedEntry = 1 << 10
)

// logged counts what the log has beside its last snapshot.
type logged struct {
	// bytes are those of the entries since then, size is that of the snapshot.
	bytes, size int64
}

// count adds an entry that was read or written.
func (r *replication) count(encoded []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.logged.bytes += int64(len(encoded))
	if e, err := decodeEntry(encoded); err == nil && e.kind == entrySnapshot {
		saved, _ := decodeSnapshot(e.data)
		r.logged = logged{size: saved.size}
	}
}

// countFrom begins to count where a file goes on: nobody knows what the entries have
// that are between that and the last snapshot.
func (r *replication) countFrom(at place, last snapshotName) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.logged == (logged{}) && at.index > last.index {
		r.logged.bytes = int64(at.index-last.index) * uncountedEntry
	}
}

// isSnapshotDue reports whether the leader should save a snapshot.
func (r *replication) isSnapshotDue() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.logged.bytes > max(snapshotAfter, r.logged.size)
}

// shelve saves a snapshot, has the log name it, and drops what it replaces: all older
// snapshots but so many that keep are left, and the entries before these. The caller
// holds exclusive.
func (s *Store) shelve(ctx context.Context, keep int) error {
	e := s.engine.Load()
	if e == nil {
		return ErrClosed
	}
	began := time.Now()
	saved, err := s.saveSnapshot(ctx, e)
	if err != nil {
		return err
	}
	if err := s.inWriter(ctx, func(w *writer) error { return w.announce(saved) }); err != nil {
		return fmt.Errorf("cannot name a snapshot in the log of the replicas: %w", err)
	}
	s.log.Info("saved a snapshot for the other replicas", "snapshot", saved.name.text, "bytes", saved.size, "took", time.Since(began).Round(time.Millisecond))
	return s.writer.replication.log.dropBefore(ctx, saved.name, keep)
}

// announce names a snapshot in the log.
func (w *writer) announce(saved snapshot) error {
	if !w.replication.leads {
		return ErrFollows
	}
	return w.say(entrySnapshot, saved.encode())
}
