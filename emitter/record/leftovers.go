package record

import (
	"context"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/rules"
)

const (
	// resumeStep is how many journeys one commit resumes.
	resumeStep = 64
	// resumePause is how often a full queue of pasts is looked at.
	resumePause = 100 * time.Millisecond
)

// resumeLeftovers continues what an earlier process left: events that wait for its
// exchanges, and pasts that it did not read. It takes a few journeys at a time, and
// leaves half the queue of pasts to participants who are there now. A journey that
// one of them goes on with is resumed before that.
func (r *Recorder) resumeLeftovers(ctx context.Context) {
	for after := ""; ; {
		if !r.waitForJoins(ctx) {
			return
		}
		var step []string
		err := r.store.Do(ctx, func(tx *outbox.Tx) {
			step = tx.Unsettled(after, resumeStep)
			for _, key := range step {
				r.resume(tx, rules.ParseKey(key))
			}
		})
		if err != nil {
			return
		}
		if len(step) == 0 {
			r.hasLeftovers.Store(false)
			return
		}
		after = step[len(step)-1]
	}
}

// waitForJoins waits until the queue of pasts has room for a step. It returns
// false if ctx has ended.
func (r *Recorder) waitForJoins(ctx context.Context) bool {
	for r.joins != nil && len(r.joins.queue) > cap(r.joins.queue)/2 && ctx.Err() == nil {
		r.sleepUntil(ctx, r.now().Add(resumePause))
	}
	return ctx.Err() == nil
}

// resume continues a journey if an earlier process has left it.
func (r *Recorder) resume(tx *outbox.Tx, key rules.Key) {
	if !tx.IsLeftover(key.Text(), r.run) {
		return
	}
	tx.ClearUnsettled(key.Text())
	now := r.now()
	r.carryOut(tx, now, r.foldIn(tx).Resume(key, now))
}
