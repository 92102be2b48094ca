package outbox

import (
	"encoding/binary"
	"math"
	"time"
)

// Progress is how far a delivery has come.
type Progress struct {
	State State
	// Attempts is the number of attempts so far, not counting those that ProbeFailed notes;
	// Rejections is how many of them the target refused for what the body is.
	Attempts, Rejections int
	// Due is when a retry may be sent, zero for a delivery that was never tried.
	Due time.Time
	// Finished is when the delivery became Delivered or Dead, zero before.
	Finished time.Time
	// Status is the status code of the last attempt, 0 without a response.
	Status int
	// Redelivered reports that the delivery was sent again after it was finished,
	// or was copied from another target.
	Redelivered bool
}

// progressSize is the length of a progress record. It is fixed, so that a change
// rewrites it in place.
const progressSize = 52

// The flags of a progress record.
const (
	flagFromRetryAfter = 1 << iota
	flagRedelivered
	flagDiscarded
)

// progressRecord is the part of a delivery that changes: its Progress and its
// place in the indexes.
type progressRecord struct {
	Progress
	fromRetryAfter bool
	// discarded marks a delivery that was discarded while it was Behind: only its
	// place in the lane is left, until the lane comes to it.
	discarded bool
	target    uint32
	lane      hash
	// next is the seq of the next delivery in the lane, 0 without one.
	next uint64
}

// isOrdered reports whether the delivery has a place in a lane.
func (p *progressRecord) isOrdered() bool { return p.lane != hash{} && !p.Redelivered }

// isPending reports whether the delivery is still to be sent.
func (p *progressRecord) isPending() bool {
	return !p.discarded && (p.State == Behind || p.State == Waiting)
}

// isPaced reports whether the delivery is a redelivery that waits for its first attempt.
func (p *progressRecord) isPaced() bool { return p.Redelivered && p.Attempts == 0 }

// progress reads a progress record, nil if there is none.
func (tx *Tx) progress(seq uint64) *progressRecord {
	record := tx.get(bucketProgress, uint64Key(seq))
	if record == nil {
		return nil
	}
	p, err := decodeProgress(record)
	if err != nil {
		return nil
	}
	return p
}

// waitingProgress reads the progress record of a Waiting delivery, nil for any other.
func (tx *Tx) waitingProgress(seq uint64) *progressRecord {
	if p := tx.progress(seq); p != nil && p.State == Waiting {
		return p
	}
	return nil
}

func (tx *Tx) putProgress(seq uint64, p *progressRecord) {
	tx.put(bucketProgress, uint64Key(seq), p.encode())
}

// IsStill reports whether a listed delivery is still in the same state.
func (tx *Tx) IsStill(d *Delivery) bool {
	p := tx.progress(d.Seq)
	return p != nil && !p.discarded && p.State == d.State
}

func (p *progressRecord) encode() []byte {
	var flags byte
	if p.fromRetryAfter {
		flags |= flagFromRetryAfter
	}
	if p.Redelivered {
		flags |= flagRedelivered
	}
	if p.discarded {
		flags |= flagDiscarded
	}
	b := append(make([]byte, 0, progressSize), byte(p.State), flags)
	b = binary.BigEndian.AppendUint16(b, clampUint16(p.Attempts))
	b = binary.BigEndian.AppendUint16(b, clampUint16(p.Rejections))
	b = binary.BigEndian.AppendUint16(b, clampUint16(p.Status))
	b = binary.BigEndian.AppendUint32(b, p.target)
	b = append(b, p.lane[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(nanos(p.Due)))
	b = binary.BigEndian.AppendUint64(b, uint64(nanos(p.Finished)))
	return binary.BigEndian.AppendUint64(b, p.next)
}

func decodeProgress(b []byte) (*progressRecord, error) {
	if len(b) != progressSize {
		return nil, errCorrupt
	}
	flags := b[1]
	return &progressRecord{
		Progress: Progress{
			State:       State(b[0]),
			Attempts:    int(binary.BigEndian.Uint16(b[2:])),
			Rejections:  int(binary.BigEndian.Uint16(b[4:])),
			Due:         fromNanos(int64(binary.BigEndian.Uint64(b[28:]))),
			Finished:    fromNanos(int64(binary.BigEndian.Uint64(b[36:]))),
			Status:      int(binary.BigEndian.Uint16(b[6:])),
			Redelivered: flags&flagRedelivered != 0,
		},
		fromRetryAfter: flags&flagFromRetryAfter != 0,
		discarded:      flags&flagDiscarded != 0,
		target:         binary.BigEndian.Uint32(b[8:]),
		lane:           hash(b[12:28]),
		next:           binary.BigEndian.Uint64(b[44:]),
	}, nil
}

func clampUint16(n int) uint16 { return uint16(min(max(n, 0), math.MaxUint16)) }
