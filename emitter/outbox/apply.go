package outbox

import (
	"errors"
	"fmt"
	"time"
)

// read applies the entries that have come to what is held, for one commit.
func (w *writer) read() error {
	r := w.replication
	for {
		isFull := r.held != nil && int64(r.held.memory) >= w.store.segmentSize/2
		if isFull {
			return nil
		}
		n, ok, err := r.incoming.next()
		if !ok {
			return w.readAll(err)
		}
		if err := w.pass(n); err != nil {
			return err
		}
	}
}

// readAll is called once all entries that have come are applied. err is why no more
// will come.
func (w *writer) readAll(err error) error {
	r := w.replication
	switch {
	case errors.Is(err, ErrGone): // a snapshot has them
		return err
	case err != nil:
		return fmt.Errorf("%w: %w", errLog, err)
	}
	if r.held != nil { // it is not in the file yet
		return nil
	}
	role := RoleFollowing
	if r.at.number < r.last || r.problem != nil {
		role = RoleBehind
	}
	r.show(role, r.problem)
	if isOurs := r.isChecked && r.at == r.claimed; isOurs {
		w.lead()
	}
	return nil
}

// pass applies an entry.
func (w *writer) pass(n numbered) error {
	r := w.replication
	if !r.isChecked {
		e, err := r.at.check(n.number, n.bytes)
		if err != nil {
			return err
		}
		r.isChecked = true
		r.leader = e.leader
		r.hear(time.Now(), e.kind)
		return nil
	}
	e, behind, err := r.at.pass(n.number, n.bytes)
	if err != nil {
		return err
	}
	if r.at = behind; r.last < behind.number {
		r.last = behind.number
	}
	r.leader, r.problem = e.leader, nil
	r.hear(time.Now(), e.kind)
	r.count(n.bytes)
	w.compare(behind)
	return w.apply(e)
}

// apply adds what an entry changes to what is held.
func (w *writer) apply(e logEntry) error {
	r := w.replication
	switch e.kind {
	case entryPart:
		if len(r.parts)+len(e.data) > maxLong {
			return errEntry
		}
		r.parts = append(r.parts, e.data...)
		return nil
	case entryChanges:
		data := e.data
		if r.parts != nil {
			data = append(r.parts, e.data...)
		}
		changes, err := decodeChanges(data)
		if err != nil {
			return err
		}
		if r.held == nil {
			r.held = newOverlay()
		}
		r.held.add(changes)
	case entrySnapshot, entryScrub:
		r.noticed(e)
	case entryBeat, entryLead, entryLeave, entryKindEnd:
	}
	r.parts, r.settled = nil, r.at
	return nil
}

// compare looks whether an entry is the one that a proposal wanted at its place.
func (w *writer) compare(behind place) {
	p := w.replication.proposal
	if p == nil || behind.number < p.places[0].number || p.isMade {
		return
	}
	at := behind.number - p.places[0].number
	if at >= uint64(len(p.places)) || p.places[at] != behind {
		w.dropProposal()
		return
	}
	p.isMade = behind == p.end()
}

// commitHeld writes what is held into the file.
func (w *writer) commitHeld() error {
	r := w.replication
	if r.held == nil {
		return nil
	}
	started := time.Now()
	draws := r.held.changesIdentity()
	if err := w.commitNote(r.held, r.settled); err != nil {
		w.mustCommit = true
		return w.unwritable(err)
	}
	w.mustCommit, r.held = false, nil
	if draws {
		id, err := w.engine.identity()
		if err != nil {
			return err
		}
		w.identity = id
	}
	if p := r.proposal; p != nil && p.isMade {
		r.proposal = nil
		w.made(p, started)
	}
	return w.measure()
}

// measure has the size of the file and what takes it be known, at most once a second.
// A leader does it with each commit.
func (w *writer) measure() (err error) {
	t, now := &w.trimmer, time.Now()
	if now.Before(t.next) {
		return nil
	}
	t.next = now.Add(trimPause)
	defer guard(&err)()
	v, err := w.engine.view()
	if err != nil {
		return err
	}
	defer v.end()
	tx := newTx(v, w.identity, now)
	t.fillerBytes = fillerBytes(v.bolt)
	t.begin(tx)
	t.measure(tx)
	t.ledger.Store(&tx.ledger)
	w.store.countFile(t)
	return nil
}

// changesIdentity reports whether the overlay has a record of the state's identity.
func (o *overlay) changesIdentity() bool {
	for _, key := range [][]byte{keyEpoch, keySalt} {
		if _, ok := o.get(appendKey(nil, bucketMeta, key)); ok {
			return true
		}
	}
	return false
}
