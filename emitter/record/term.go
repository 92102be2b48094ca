package record

import (
	"context"
	"crypto/rand"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/rules"
)

// beginTerm forgets what an earlier Run knew about the state file: another replica may
// have written to it since. What that Run had still to do is left over, as after a
// restart. It returns false if ctx has ended or the store takes no changes.
func (r *Recorder) beginTerm(ctx context.Context) bool {
	if !r.hasRun { // all is new, and observations may have come already
		r.hasRun = true
		return true
	}
	r.hasLeftovers.Store(true)
	if r.replicas != nil { // else those who have come since the last Run are among them
		r.newcomers = rules.Newcomers{}
	}
	run := rand.Text()
	return r.store.Do(ctx, func(*outbox.Tx) { r.forgetTerm(run) }) == nil
}

// forgetTerm makes what only the store's writer uses as it is in a new process. To do it
// twice does no harm.
func (r *Recorder) forgetTerm(run string) {
	r.run = run
	r.pages = rules.PageCache{}
	r.waiting.reset()
	drain(r.settling)
	drain(r.expiring)
	if r.joins != nil {
		drain(r.joins.queue)
		drain(r.joins.urgent)
	}
}

func drain[T any](queue <-chan T) {
	for {
		select {
		case <-queue:
		default:
			return
		}
	}
}
