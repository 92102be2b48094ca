package record

import (
	"context"
	"math"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/rules"
)

// maxSettling bounds the settlements that are due later; past it, events go at
// once without the answers in flight.
const maxSettling = 10_000

// settlement is when the events of a journey stop waiting for answers in flight.
type settlement struct {
	journey rules.Key
	// place is that of the last event that is due.
	place int
	due   time.Time
}

// settleLater settles a journey when that is due, or now if too many wait.
func (r *Recorder) settleLater(s settlement) {
	select {
	case r.settling <- s:
	default:
		r.submitSettle(s.journey)
	}
}

// runSettling settles journeys when they are due. They are queued in about that
// order, so it waits for one at a time. When ctx ends it settles all at once.
func (r *Recorder) runSettling(ctx context.Context) {
	for {
		select {
		case next := <-r.settling:
			r.sleepUntil(ctx, next.due)
			r.settleNow(ctx, next)
		case <-ctx.Done():
			if r.replicas == nil { // else the next leader goes on
				r.submit(r.settleAll)
			}
			return
		}
	}
}

func (r *Recorder) sleepUntil(ctx context.Context, due time.Time) {
	timer := time.NewTimer(due.Sub(r.now()))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// settleNow settles a journey that is due. With several replicas, the answer that its
// events wait for may be on its way.
func (r *Recorder) settleNow(ctx context.Context, s settlement) {
	settle := func(tx *outbox.Tx) {
		now := r.now()
		r.carryOut(tx, now, r.foldIn(tx).SettleUpTo(s.journey, s.place, now))
	}
	if r.replicas == nil {
		r.submit(settle)
		return
	}
	r.whenFolded(ctx, foldTask{
		participants: []string{s.journey.Participant},
		at:           s.due,
		apply:        func(tx *outbox.Tx, _ *batch) { settle(tx) },
	})
}

func (r *Recorder) submitSettle(key rules.Key) {
	r.submit(func(tx *outbox.Tx) { r.settleJourney(tx, key) })
}

// settleAll settles every journey with waiting events, including those whose
// settlement has not been queued yet.
func (r *Recorder) settleAll(tx *outbox.Tx) {
	for _, key := range tx.Unsettled("", math.MaxInt) {
		r.settleJourney(tx, rules.ParseKey(key))
	}
}

func (r *Recorder) settleJourney(tx *outbox.Tx, key rules.Key) {
	now := r.now()
	r.carryOut(tx, now, r.foldIn(tx).Settle(key, now))
}
