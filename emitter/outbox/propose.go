package outbox

import (
	"errors"
	"fmt"
	"time"
)

// errTooLong is the error of a change that the log cannot take.
var errTooLong = errors.New("a change has more than the log of the replicas takes")

// proposal is what a leader puts into the log and then into its file. Once it was
// begun, nothing else is written until its fate is known, even if its term has ended:
//
//	made ─► some entries are written ─► all are ─► it is in the file
//	  └──────────────┴─► another replica has written there: dropped
type proposal struct {
	// entries are to be written at these places; the first so many of them are.
	entries [][]byte
	places  []place
	written int
	// tx is what was changed, nil without changes. batch has the changes that were
	// made by it and wait, if it could not be written at once.
	tx    *Tx
	batch []change
	// isMade reports that a follower has read all entries of it.
	isMade bool
}

// propose makes the entries of what is to be written next.
func (r *replication) propose(kind entryKind, data []byte, tx *Tx) (*proposal, error) {
	if len(data) > maxLong {
		return nil, errTooLong
	}
	p := &proposal{tx: tx}
	room := max(entryRoom(r.log.MaxEntry(), r.incarnation), 1)
	at := r.at
	for {
		next, piece := kind, data
		if len(data) > room {
			next, piece = entryPart, data[:room]
		}
		encoded, behind := at.add(next, r.incarnation, piece)
		p.entries, p.places = append(p.entries, encoded), append(p.places, behind)
		at, data = behind, data[len(piece):]
		if next == kind {
			return p, nil
		}
	}
}

// end is the place behind the last entry.
func (p *proposal) end() place { return p.places[len(p.places)-1] }

// replicate writes a transaction to the log and to the file. Unless that succeeds, the
// proposal has the changes that the transaction made.
func (w *writer) replicate(v *view, tx *Tx) error {
	r := w.replication
	if len(tx.noted) > 0 {
		return errLost
	}
	if tx.changes.isEmpty() { // only to see whether the file can be written
		r.noteIn(tx.changes, r.settled)
		return w.engine.commit(v, tx.changes)
	}
	p, err := r.propose(entryChanges, encodeChanges(tx.changes), tx)
	if err != nil {
		return err
	}
	r.proposal = p
	if err = w.settle(v); err != nil {
		p.batch, w.batch = w.batch[:tx.made:tx.made], w.batch[tx.made:]
	}
	return err
}

// settle writes what is left of the proposal to the log, and then into the file.
func (w *writer) settle(v *view) error {
	r := w.replication
	p := r.proposal
	if err := r.write(p); err != nil {
		return err
	}
	if p.tx != nil {
		r.noteIn(p.tx.changes, p.end())
		if err := w.engine.commit(v, p.tx.changes); err != nil {
			return err
		}
		r.hasNoted(p.end())
	}
	r.at, r.settled, r.proposal = p.end(), p.end(), nil
	return nil
}

// write writes what is left of a proposal to the log.
func (r *replication) write(p *proposal) error {
	for ; p.written < len(p.entries); p.written++ {
		began := time.Now()
		ctx, cancel := r.ask()
		_, err := r.log.Write(ctx, p.places[p.written].number-1, p.entries[p.written])
		cancel()
		switch {
		case errors.Is(err, ErrOvertaken), errors.Is(err, ErrGone):
			return err
		case err != nil:
			return fmt.Errorf("%w: %w", errLog, err)
		}
		r.count(p.entries[p.written])
		r.last, r.heard, r.leader = p.places[p.written].number, time.Now(), r.incarnation
		if r.leads {
			r.wrote.Store(&began)
		}
	}
	return nil
}

// retry goes on with a proposal that could not be written.
func (w *writer) retry() (err error) {
	defer guard(&err)()
	started, p := time.Now(), w.replication.proposal
	v, err := w.engine.view()
	if err != nil {
		return err
	}
	defer v.end()
	if err = w.settle(v); err == nil {
		w.made(p, started)
	}
	return err
}

// made tells those who wait for a proposal that it was made.
func (w *writer) made(p *proposal, started time.Time) {
	if p.tx != nil {
		w.identity = p.tx.identity
		w.store.committed(p.batch, p.tx, &w.trimmer, time.Since(started))
	}
}

// dropProposal refuses the changes of a proposal that is not in the log.
func (w *writer) dropProposal() {
	if p := w.replication.proposal; p != nil {
		w.replication.proposal = nil
		w.store.refuse(p.batch)
	}
}

// say writes an entry without changes.
func (w *writer) say(kind entryKind, data []byte) (err error) {
	r := w.replication
	if r.proposal, err = r.propose(kind, data, nil); err != nil {
		return err
	}
	return w.settle(nil)
}
