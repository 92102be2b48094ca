package record

import (
	"sync/atomic"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/rules"
)

// The bounds of the observations that wait for pasts, of all journeys together.
// Those that wait for a survey's id may take half of that.
const (
	maxWaitingBytes    = 16 << 20
	maxWaitingJourneys = 10_000
)

// waiting counts the observations that wait for pasts. Only the store's writer
// uses it, but for total.
type waiting struct {
	// total is the sum of byJourney, in bytes.
	total     atomic.Int64
	byJourney map[rules.Key]int
	// changed are the journeys that tx has changed, and added their growth: they count
	// in byJourney once they are on disk.
	tx      *outbox.Tx
	changed map[rules.Key]int
	added   int
}

func newWaiting() *waiting { return &waiting{byJourney: map[rules.Key]int{}} }

// reset forgets all journeys; those that go on waiting are noted when they are resumed.
func (w *waiting) reset() {
	w.total.Store(0)
	clear(w.byJourney)
	w.enter(nil)
}

// isPast reports whether so many bytes wait, or observations of so many journeys.
func (w *waiting) isPast(tx *outbox.Tx, bytes, journeys int) bool {
	w.enter(tx)
	return int(w.total.Load())+w.added >= bytes || len(w.byJourney)+len(w.changed) >= journeys
}

// note takes the size of what waits in a journey from now on.
func (w *waiting) note(tx *outbox.Tx, key rules.Key, bytes int) {
	w.enter(tx)
	before, isChanged := w.changed[key]
	if !isChanged {
		before = w.byJourney[key]
	}
	if before == bytes {
		return
	}
	w.changed[key] = bytes
	w.added += bytes - before
	tx.After(func() { w.commit(key, bytes) })
}

// enter forgets what an earlier transaction has changed: it is on disk, or was
// tried again.
func (w *waiting) enter(tx *outbox.Tx) {
	if w.tx != tx {
		w.tx, w.changed, w.added = tx, map[rules.Key]int{}, 0
	}
}

func (w *waiting) commit(key rules.Key, bytes int) {
	w.total.Add(int64(bytes - w.byJourney[key]))
	if w.byJourney[key] = bytes; bytes == 0 {
		delete(w.byJourney, key)
	}
	w.enter(nil)
}
