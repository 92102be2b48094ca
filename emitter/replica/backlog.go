package replica

import "maps"

// backlog is what is not known to be seen of one incarnation. It is guarded by the lock
// of the Seer, but for spill, which is the sender's.
type backlog struct {
	incarnation string
	acked       uint64
	// told is the last K that was sent, acked or less: what is above was forgotten, and
	// nobody can read it.
	told uint64
	// pending has the last K of each participant that has any above acked.
	pending map[string]uint64
	// records and bytes count what of the spill is not known to be seen.
	records int
	bytes   int64
	// spill is nil if there is none.
	spill *spill
}

// sighted is a sighting that was sent or spilled.
type sighted struct {
	k           uint64
	participant string
	size        int64
	// isSpilled is set if it is in the spill.
	isSpilled bool
}

func newBacklog(incarnation string) *backlog {
	return &backlog{incarnation: incarnation, pending: map[string]uint64{}}
}

// queue returns what is pending of some participants, of all if that is nil. A spill may
// have very many, and participants wait for the lock.
func (b *backlog) queue(of []string) Queue {
	q := Queue{Incarnation: b.incarnation, Acked: b.told, Pending: map[string]uint64{}}
	if of == nil {
		maps.Copy(q.Pending, b.pending)
		return q
	}
	for _, participant := range of {
		if k, ok := b.pending[participant]; ok {
			q.Pending[participant] = k
		}
	}
	return q
}

// seen notes that sightings are seen by all.
func (b *backlog) seen(sightings []sighted) {
	for _, s := range sightings {
		b.acked, b.told = max(b.acked, s.k), max(b.told, s.k)
		if b.pending[s.participant] <= s.k {
			delete(b.pending, s.participant)
		}
		if s.isSpilled {
			b.records, b.bytes = b.records-1, b.bytes-s.size
		}
	}
}

// spilled notes that a sighting is in the spill.
func (b *backlog) spilled(s *Sighting) {
	b.records, b.bytes = b.records+1, b.bytes+spilledSize(s)
}

// spilledSize is what a sighting counts as in the spill, in bytes.
func spilledSize(s *Sighting) int64 {
	return int64(recordHeaderSize + len(s.Participant) + len(s.Data))
}

// isEmptyUpTo reports whether nothing is in the spill above k.
func (b *backlog) isEmptyUpTo(k uint64) bool { return b.spill == nil || b.spill.last <= k }
