package outbox

import (
	"encoding/binary"
	"math"
)

// progressSize is the length of a progress record. It is fixed, so that a change rewrites it in place.
const progressSize = 52

// The flags of a progress record.
const (
	// flagTold marks a due time that the target asked for.
	flagTold = 1 << iota
	flagRedelivered
	flagGone
)

// progress is the record beside a delivery: its Progress, and its place in the indexes.
type progress struct {
	Progress
	told bool
	// gone marks a delivery that was discarded while it was behind: only its
	// place in the lane is left, until the lane comes to it.
	gone   bool
	target uint32
	lane   hash
	// next is the seq of the follower in its lane, 0 without one.
	next uint64
}

// inLane tells whether it stands in an order.
func (p *progress) inLane() bool { return p.lane != hash{} && !p.Redelivered }

// pending tells whether it is still to be sent.
func (p *progress) pending() bool { return !p.gone && (p.State == Behind || p.State == Waiting) }

// isPaced tells of a redelivery that waits for its turn.
func (p *progress) isPaced() bool { return p.Redelivered && p.Attempts == 0 }

func (p *progress) encode() []byte {
	var flags byte
	if p.told {
		flags |= flagTold
	}
	if p.Redelivered {
		flags |= flagRedelivered
	}
	if p.gone {
		flags |= flagGone
	}
	b := append(make([]byte, 0, progressSize), byte(p.State), flags)
	b = binary.BigEndian.AppendUint16(b, bounded(p.Attempts))
	b = binary.BigEndian.AppendUint16(b, bounded(p.Rejections))
	b = binary.BigEndian.AppendUint16(b, bounded(p.Status))
	b = binary.BigEndian.AppendUint32(b, p.target)
	b = append(b, p.lane[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(nanos(p.Due)))
	b = binary.BigEndian.AppendUint64(b, uint64(nanos(p.Finished)))
	return binary.BigEndian.AppendUint64(b, p.next)
}

func decodeProgress(b []byte) (*progress, error) {
	if len(b) != progressSize {
		return nil, errCorrupt
	}
	p := &progress{told: b[1]&flagTold != 0, gone: b[1]&flagGone != 0, target: binary.BigEndian.Uint32(b[8:]), lane: hash(b[12:28])}
	p.State, p.Redelivered = State(b[0]), b[1]&flagRedelivered != 0
	p.Attempts = int(binary.BigEndian.Uint16(b[2:]))
	p.Rejections = int(binary.BigEndian.Uint16(b[4:]))
	p.Status = int(binary.BigEndian.Uint16(b[6:]))
	p.Due = fromNanos(int64(binary.BigEndian.Uint64(b[28:])))
	p.Finished = fromNanos(int64(binary.BigEndian.Uint64(b[36:])))
	p.next = binary.BigEndian.Uint64(b[44:])
	return p, nil
}

func bounded(n int) uint16 { return uint16(min(max(n, 0), math.MaxUint16)) }
