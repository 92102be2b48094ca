package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Lead calls term whenever this replica begins to lead, with a context that ends with
// its term, and waits for its end; until ctx ends. Only the replica that leads writes:
// changes are refused (ErrFollows) outside of a term. A store without a Log leads all
// the time, whether its file is open or not. Lead must be called once.
func (s *Store) Lead(ctx context.Context, term func(ctx context.Context)) {
	if r := s.writer.replication; r != nil {
		r.terms.serve(ctx, term)
		return
	}
	term(ctx)
}

// Leads reports whether this replica leads, and has said so in the log within the last
// second: until another can have taken over, it may act outside.
func (s *Store) Leads() bool {
	r := s.writer.replication
	return r == nil || r.leadsNow()
}

// isSilent asks the log whether it has nothing that was not read. Otherwise the silence
// begins anew.
func (w *writer) isSilent(ctx context.Context) (bool, error) {
	r, asked := w.replication, time.Now()
	_, last, err := r.log.extent(ctx)
	if err == nil {
		r.problem = nil
	}
	// A log that could not be reached until now has nothing new of the leader either.
	if wasAway := time.Since(asked) >= beatEvery; err != nil || last > r.at.number || wasAway {
		r.last = max(r.last, last)
		r.hear(time.Now(), 0)
		return false, err
	}
	if last < r.at.number {
		w.unfollow()
		return false, &LostError{Applied: r.at.index}
	}
	r.asked = time.Now()
	return true, nil
}

// claim tries to lead: it writes that it does, unless somebody else has written.
func (w *writer) claim(ctx context.Context) error {
	r := w.replication
	if isSilent, err := w.isSilent(ctx); !isSilent {
		return err
	}
	encoded, behind := r.at.add(entryLead, r.incarnation, nil)
	r.claimed, r.claimedAt = behind, time.Now()
	ctx, cancel := context.WithTimeout(ctx, logPatience)
	defer cancel()
	_, err := r.log.Write(ctx, r.at.number, encoded)
	switch {
	case errors.Is(err, ErrOvertaken):
		r.hear(time.Now(), 0)
		return nil
	case errors.Is(err, ErrGone):
		w.unfollow()
		return err
	case err != nil: // if it is there all the same, it will be read
		r.hear(time.Now(), 0)
		return fmt.Errorf("%w: %w", errLog, err)
	}
	r.at = behind
	w.lead()
	return nil
}

// lead begins a term. The last entry is that which says so, and the file has all before
// it. What the writer has in memory is as after the file was opened.
func (w *writer) lead() {
	r := w.replication
	w.unfollow()
	w.dropProposal() // its place is taken
	r.settled, r.last, r.heard, r.leader = r.at, r.at.number, time.Now(), r.incarnation
	began := r.claimedAt
	r.claimed = place{} // which is not read as ours again
	w.engine.isVerified, w.audit, w.mustCommit = false, audit{}, false
	w.trimmer.restart()
	r.leads = true
	r.wrote.Store(&began)
	w.store.changes.setFollows(false)
	if !r.terms.begin() {
		w.leave()
		return
	}
	r.takeovers.Add(1)
	r.show(RoleLeading, nil)
	w.store.wake(nil)
}

// keepLeading does what a leader has to do before anything else. isDone reports that
// this was all for this step.
func (w *writer) keepLeading() (isDone bool, err error) {
	r := w.replication
	switch {
	case r.proposal != nil:
		if err = w.retry(); err != nil {
			err = w.unwritable(err)
		}
		w.mustCommit = err != nil
	case w.isTermOver():
		w.leave()
	case r.mustNote():
		if err = w.commitNote(newOverlay(), r.settled); err != nil {
			err = w.unwritable(err)
		}
	case w.untilBeat(beatEvery) <= 0:
		err = w.say(entryBeat, nil)
	default:
		r.show(RoleLeading, nil)
		return false, nil
	}
	return true, w.judge(err)
}

// beat says that this replica leads, if it is time.
func (w *writer) beat() error {
	if w.untilBeat(beatEvery) > 0 {
		return nil
	}
	return w.say(entryBeat, nil)
}

// isOfLog reports whether the log, and no change, is to blame for an error.
func isOfLog(err error) bool {
	return errors.Is(err, ErrOvertaken) || errors.Is(err, ErrGone) || errors.Is(err, errLog)
}

// stayLeading says that this replica leads, if it does and it is time, while its file
// cannot take anything.
func (w *writer) stayLeading() {
	r := w.replication
	switch {
	case r == nil || !r.leads || w.untilBeat(beatEvery) > 0:
	case r.proposal == nil:
		_ = w.judge(w.beat()) // what could not be written stays a proposal
	case r.proposal.tx == nil: // such a one
		_ = w.judge(w.retry())
	}
}

// isTermOver reports whether the function of the term has returned, and nothing waits.
func (w *writer) isTermOver() bool {
	r := w.replication
	return r != nil && r.leads && !r.terms.is(termServing) && w.store.changes.waiting() == 0
}

// judge ends the term where an error says so.
func (w *writer) judge(err error) error {
	switch {
	case errors.Is(err, ErrOvertaken), errors.Is(err, ErrGone): // also what comes before is gone
		w.dropProposal()
		w.stepDown()
		return nil
	case errors.Is(err, errLost):
		return w.giveUp()
	case err != nil && w.replication.leads:
		w.replication.show(RoleLeading, err)
	}
	return err
}

// leave says that this replica stops to lead, so that another begins at once.
func (w *writer) leave() {
	r := w.replication
	if r.leads && r.proposal == nil {
		if err := w.say(entryLeave, nil); errors.Is(err, ErrOvertaken) {
			w.dropProposal()
		} else if err != nil {
			w.store.log.Warn("cannot tell the other replicas that this one stops to lead: one of them will notice", "error", err)
		}
	}
	w.stepDown()
}

// stepDown ends the term. What waits is refused.
func (w *writer) stepDown() {
	r := w.replication
	if !r.leads {
		return
	}
	r.leads = false
	r.wrote.Store(nil)
	waiting := append(w.batch, w.store.changes.setFollows(true)...)
	w.batch = nil
	w.store.refuse(waiting)
	r.terms.finish()
	r.show(RoleBehind, nil)
}

// untilBeat returns how long a leader can wait before it says that it leads, at most a while.
func (w *writer) untilBeat(latest time.Duration) time.Duration {
	if r := w.replication; r != nil && r.leads {
		return min(latest, time.Until(r.wrote.Load().Add(beatEvery)))
	}
	return latest
}

// arriving returns what receives when something comes from the log or from readers; nil
// for a store that is alone.
func (w *writer) arriving() (entries <-chan struct{}, suspects <-chan suspect) {
	r := w.replication
	if r == nil {
		return nil, nil
	}
	if r.incoming != nil {
		entries = r.incoming.wake
	}
	return entries, r.suspects
}

// unwritten returns the changes that the writer has taken and not written.
func (w *writer) unwritten() []change {
	if r := w.replication; r != nil && r.proposal != nil {
		return append(r.proposal.batch, w.batch...)
	}
	return w.batch
}
