package outbox

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// follow makes one step of a replica that does not lead.
func (w *writer) follow(ctx context.Context) error {
	r := w.replication
	if ctx.Err() != nil {
		w.unfollow()
		w.store.changes.close()
		return errDone
	}
	if err := w.makeRoom(); err != nil {
		return err
	}
	if err := w.commitHeld(); err != nil {
		return err
	}
	w.working()
	w.shrinkIfWorthwhile()
	if w.engine == nil {
		return errNotReplaced
	}
	if r.incoming == nil {
		if err := w.beginToFollow(ctx); err != nil || r.incoming == nil {
			return w.refuse(ctx, err)
		}
	}
	err := w.read()
	switch {
	case err != nil:
		if inFile := w.commitHeld(); inFile != nil {
			return inFile
		}
		w.unfollow()
		return w.refuse(ctx, err)
	case r.held != nil || r.leads:
		return nil
	case r.mustNote():
		r.held = newOverlay()
		return nil
	case r.mayAsk():
		_, err := w.isSilent(ctx)
		return w.refuse(ctx, err)
	case r.maySpeak():
		return w.refuse(ctx, w.claim(ctx))
	}
	w.wait(ctx, r.untilSpeaking())
	return nil
}

// beginToFollow compares the file with the log and begins to read what it lacks. Where
// reading would not do, it has not begun.
func (w *writer) beginToFollow(ctx context.Context) error {
	r := w.replication
	file, log, ok, err := w.join(ctx)
	if err != nil || !ok {
		return err
	}
	at := file.place
	r.at, r.settled, r.noted, r.notedAt, r.last, r.parts = at, at, at, time.Now(), log.last, nil
	r.unloaded, r.lostSince = nil, time.Time{}
	r.countFrom(at, log.snapshot)
	if p := r.proposal; p != nil && at == p.end() { // a commit that seemed to fail
		r.proposal = nil
		w.made(p, time.Now())
	}
	after := at.number
	if r.isChecked = after < log.first || at.index == 0; !r.isChecked {
		after-- // that one again, to see that it is the same
	}
	r.hear(time.Now(), 0)
	r.incoming = readLog(r.log, after)
	return nil
}

// unfollow stops reading. What was read and is not in the file will be read again.
func (w *writer) unfollow() {
	r := w.replication
	if r.incoming != nil {
		r.incoming.stop()
		r.incoming = nil
	}
	r.held, r.parts = nil, nil
	if r.proposal != nil {
		r.proposal.isMade = false
	}
}

// refuse shows what keeps the replica from following. An error is returned if it is
// one of the state file.
func (w *writer) refuse(ctx context.Context, err error) error {
	r := w.replication
	switch {
	case err == nil:
	case w.engine == nil:
		return err
	case errors.Is(err, errForeign):
		r.differs = true // join says what is to be done
	case r.mayBeWrong(err):
		r.show(RoleBehind, r.problem)
		w.wait(ctx, minPause)
	case errors.Is(err, ErrNewer), errors.Is(err, errEntry), errors.Is(err, errRefused):
		r.show(RoleRefused, err)
		w.wait(ctx, refusedPause)
	case errors.Is(err, errJoinWaits), errors.Is(err, errNoSnapshot), errors.Is(err, errSnapshot), errors.Is(err, errUnsaved):
		r.unloaded = err
		r.show(RoleLoading, err)
		w.wait(ctx, maxPause)
	case errors.Is(err, ErrGone), errors.Is(err, ErrBusy), errors.Is(err, context.Canceled):
		w.wait(ctx, minPause)
	case errors.Is(err, errLog):
		r.problem = err
		r.show(RoleBehind, err)
		w.wait(ctx, minPause)
	default:
		r.show(RoleBehind, err)
		return err
	}
	return nil
}

// mayBeWrong reports whether servers that say that the log has lost entries may not know
// better yet: one that stood still, or was cut off, goes on as if it was alone at first.
func (r *replication) mayBeWrong(err error) bool {
	var lost *LostError
	if !errors.As(err, &lost) || lost.differs {
		return false
	}
	if r.lostSince.IsZero() {
		r.lostSince = time.Now()
	}
	return time.Since(r.lostSince) < lostPatience
}

// hear notes that an entry was read, or that the silence begins anew.
func (r *replication) hear(at time.Time, kind entryKind) {
	r.heard, r.asked = at, time.Time{}
	r.patience = silence + rand.N(silenceSpread)
	if kind == entryLeave {
		r.patience = rand.N(leaveSpread)
	}
}

// mayAsk reports whether the replica should see whether the log can be reached, some
// time before it tries to lead: a leader that could not reach it either goes first.
func (r *replication) mayAsk() bool {
	return r.terms.is(termReady) && r.asked.IsZero() && time.Since(r.heard) >= r.patience-askBefore
}

// maySpeak reports whether the silence has been long enough.
func (r *replication) maySpeak() bool { return r.untilSpeaking() <= 0 && !r.asked.IsZero() }

// untilSpeaking returns for how long there is nothing to do but to read.
func (r *replication) untilSpeaking() time.Duration {
	switch {
	case !r.terms.is(termReady):
		return trimEvery
	case r.asked.IsZero():
		return time.Until(r.heard.Add(r.patience - askBefore))
	}
	return max(time.Until(r.heard.Add(r.patience)), time.Until(r.asked.Add(min(askBefore, r.patience))))
}
