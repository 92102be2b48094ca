package outbox

import (
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"
)

// refusal is why a delivery is refused.
type refusal int

const (
	accepted refusal = iota
	// targetFull: the target's pending deliveries take all that they can.
	targetFull
	// laneFull: those of the participant do.
	laneFull
)

// refusals counts and logs the deliveries that were refused, once the refusal is
// on disk. Only the writer uses it.
type refusals struct {
	log   *slog.Logger
	total *prometheus.CounterVec
	// throttles are for one message of each kind.
	throttles map[refused]*rate.Sometimes
	logPage   rate.Sometimes
}

// refused is one kind of refusals.
type refused struct {
	target string
	reason refusal
}

func (r *refusals) init(log *slog.Logger) {
	r.log, r.throttles = log, map[refused]*rate.Sometimes{}
	r.logPage.Interval = logEvery
}

// accepts decides whether a target takes one more pending delivery.
func (tx *Tx) accepts(t *targetRecord, l laneRecord, bytes int64) refusal {
	budget, book := tx.size, tx.ledger
	if t.kept() == 0 {
		book.targets++
	}
	pending := int64(t.PendingBytes)
	isLaneOver := l.deliveries >= maxLaneDeliveries || int64(l.bytes)+bytes > budget.ofLane(book)
	switch {
	case pending+bytes > budget.ofTarget(book, pending):
		return targetFull
	case l.deliveries > 0 && isLaneOver: // one large delivery is nobody's flood
		return laneFull
	}
	return accepted
}

// refuse counts a refused delivery.
func (tx *Tx) refuse(target string, reason refusal) {
	tx.refused++
	r, pending := tx.refusals, tx.target(target).PendingBytes
	tx.After(func() { r.count(refused{target, reason}, pending) })
}

func (r *refusals) count(kind refused, pending uint64) {
	r.total.WithLabelValues(kind.target).Inc()
	if r.throttles[kind] == nil {
		r.throttles[kind] = &rate.Sometimes{Interval: logEvery}
	}
	r.throttles[kind].Do(func() {
		if kind.reason == laneFull {
			r.log.Warn("new events of a participant are lost for a target, since too many of theirs are pending", "target", kind.target)
			return
		}
		r.log.Error("new events are lost for a target, since its pending deliveries fill its share of retention.size: see why it accepts nothing, discard what it does not need, or raise retention.size",
			"target", kind.target, "bytes", pending)
	})
}

// takesPage reports whether there is room for one more page.
func (tx *Tx) takesPage(definition []byte) bool {
	if tx.ledger.bytes[sharePages]+footprint(hashSize+len(definition)) <= tx.size.of(sharePages) {
		return true
	}
	r := tx.refusals
	tx.After(func() {
		r.logPage.Do(func() {
			r.log.Warn("pages fill their share of retention.size: new ones are kept with each participant instead of once for all")
		})
	})
	return false
}
