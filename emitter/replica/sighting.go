package replica

import (
	"encoding/binary"
	"errors"
	"time"
)

// maxSighting is how large the data of a sighting may be, in bytes.
const maxSighting = 32 << 20

// errDamaged is the error of a message or record that cannot be read.
var errDamaged = errors.New("it is damaged")

// Sighting is one thing that a replica saw a participant do.
type Sighting struct {
	// K counts the sightings of an incarnation, from 1, in the order in which it saw
	// them. Numbers may be missing: of sightings that were lost or forgotten.
	K           uint64
	Participant string
	At          time.Time
	// Data is what was seen, which is none of this package's business.
	Data []byte
	// Shift is to be added to times in Data: they are by a clock that was compared with
	// those of the others only later. At has it.
	Shift time.Duration
	// IsUncompared is set until that has happened. Readers never see it.
	IsUncompared bool
}

// size is about how many bytes of memory a sighting takes.
func (s *Sighting) size() int { return len(s.Participant) + len(s.Data) + 128 }

// piece is a part of a sighting: all of it where it fits into a message.
type piece struct {
	// The Data of the sighting is that of the piece, which is at offset in a total of bytes.
	Sighting
	offset, total int
}

// pieceFormat is that of pieces in messages and spills. Those of format 1 have neither
// Shift nor IsUncompared.
const pieceFormat = 2

// formatOf returns the earliest format that can have a sighting.
func formatOf(s *Sighting) byte {
	if s.Shift == 0 && !s.IsUncompared {
		return 1
	}
	return pieceFormat
}

func whole(s *Sighting) piece { return piece{Sighting: *s, total: len(s.Data)} }

func (p *piece) isWhole() bool { return len(p.Data) == p.total }

// maxPieceHead is how many bytes a piece has beside its participant and data at most.
const maxPieceHead = 8 * binary.MaxVarintLen64

func appendPiece(to []byte, format byte, p *piece) []byte {
	to = binary.AppendUvarint(to, p.K)
	to = appendBytes(to, p.Participant)
	to = binary.AppendVarint(to, p.At.UnixNano())
	if format > 1 {
		to = binary.AppendVarint(to, int64(p.Shift))
		to = append(to, boolByte(p.IsUncompared))
	}
	to = binary.AppendUvarint(to, uint64(p.total))
	to = binary.AppendUvarint(to, uint64(p.offset))
	return appendBytes(to, p.Data)
}

func boolByte(b bool) byte {
	if b {
		return 1
	}
	return 0
}

func appendBytes[T string | []byte](to []byte, b T) []byte {
	return append(binary.AppendUvarint(to, uint64(len(b))), b...)
}

// decoder reads fields. Once one is missing, err is set, and all further fields are zero.
type decoder struct {
	rest []byte
	err  error
}

// piece reads a piece, whose data is a part of what is read.
func (d *decoder) piece(format byte) piece {
	p := piece{}
	p.K = d.uint()
	p.Participant = string(d.bytes())
	p.At = time.Unix(0, d.int()).UTC()
	if format > 1 {
		p.Shift = time.Duration(d.int())
		p.IsUncompared = d.uint() != 0
	}
	total, offset := d.uint(), d.uint()
	p.Data = d.bytes()
	isPart := uint64(len(p.Data)) < total
	if total > maxSighting || offset > total || uint64(len(p.Data)) > total-offset || isPart && len(p.Data) == 0 || p.K == 0 {
		d.fail()
	}
	p.total, p.offset = int(total), int(offset)
	return p
}

func (d *decoder) uint() uint64 {
	n, size := binary.Uvarint(d.rest)
	return skipped(d, n, size)
}

func (d *decoder) int() int64 {
	n, size := binary.Varint(d.rest)
	return skipped(d, n, size)
}

func (d *decoder) bytes() []byte {
	size := d.uint()
	if size > uint64(len(d.rest)) {
		d.fail()
		return nil
	}
	field := d.rest[:size:size]
	d.rest = d.rest[size:]
	return field
}

func (d *decoder) fail() { d.rest, d.err = nil, errDamaged }

// skipped returns a number that took size bytes, if there was one.
func skipped[N uint64 | int64](d *decoder, n N, size int) N {
	if size <= 0 {
		d.fail()
		return 0
	}
	d.rest = d.rest[size:]
	return n
}
