package record

import (
	"iter"
	"slices"
	"time"
)

// longExchange is how much later than its horizon a batch wants to know what replicas
// saw: of exchanges that had begun before, some end later.
const longExchange = 5 * time.Second

// narrow gives the batch a horizon. What replicas kept while the servers were away may be
// more than fits into memory, and every participant was at several of them; but all send
// it in step, so what was seen first can be folded once all have sent what is as old. What
// is read meanwhile may be older still, and bring the horizon nearer.
func (b *batch) narrow() {
	b.horizon, b.count, b.narrowAt = b.fittingHorizon(), 0, b.bytes+maxWhole
	tasks := b.tasks
	b.tasks = nil
	for _, task := range tasks {
		if task.at.After(b.horizon) {
			b.deferred = append(b.deferred, task)
		} else {
			b.tasks = append(b.tasks, task)
		}
	}
}

// fittingHorizon returns up to when what was seen first of the list fits into a batch.
func (f *folding) fittingHorizon() (upTo time.Time) {
	var all []*seen
	for _, one := range f.list {
		all = append(all, one.seen...)
	}
	slices.SortStableFunc(all, func(a, b *seen) int { return a.reached.Compare(b.reached) })
	bytes := 0
	for i, s := range all {
		if bytes += s.size; i > 0 && (i >= maxBatchSeen || bytes > maxBatchBytes) {
			break
		}
		upTo = s.reached
	}
	return upTo
}

// isNarrow reports whether the batch has a horizon.
func (b *batch) isNarrow() bool { return !b.horizon.IsZero() }

// isBeyond reports whether everything was read of an incarnation up to a while after the
// horizon of the batch, if it has one.
func (b *batch) isBeyond(incarnation string, while time.Duration) bool {
	return b.isNarrow() && b.reached[incarnation].After(b.horizon.Add(while))
}

// has reports whether a sighting in the i-th message of the list is in the batch.
func (b *batch) has(i int, s *seen) bool {
	if b.isNarrow() {
		return !s.reached.After(b.horizon)
	}
	return i < b.count
}

// sightings returns what is in the batch.
func (b *batch) sightings() iter.Seq[*seen] {
	return func(yield func(*seen) bool) {
		for i, one := range b.list {
			if i >= b.count && !b.isNarrow() {
				return
			}
			for _, s := range one.seen {
				if b.has(i, s) && !yield(s) {
					return
				}
			}
		}
	}
}
