package rules

import (
	"encoding/binary"
	"errors"
	"time"
)

var errDamagedRecord = errors.New("a record is damaged")

// recordEncoder appends fields to a record. A recordDecoder reads them in the same
// order. Heads and pages are read and written with nearly every observation, for
// which JSON takes several times as long.
type recordEncoder []byte

func (e *recordEncoder) uint(n uint64) { *e = binary.AppendUvarint(*e, n) }
func (e *recordEncoder) int(n int)     { e.uint(uint64(n)) }
func (e *recordEncoder) text(s string) { e.int(len(s)); *e = append(*e, s...) }

func (e *recordEncoder) bool(b bool) {
	if b {
		e.uint(1)
	} else {
		e.uint(0)
	}
}

func (e *recordEncoder) time(t time.Time) {
	*e = binary.AppendVarint(*e, t.Unix())
	e.int(t.Nanosecond())
}

// recordDecoder reads the fields of a record. Once one is missing, isDamaged is set
// and all further fields are zero.
type recordDecoder struct {
	rest      []byte
	isDamaged bool
}

func (d *recordDecoder) uint() uint64 {
	n, size := binary.Uvarint(d.rest)
	if size <= 0 {
		d.damaged()
		return 0
	}
	d.rest = d.rest[size:]
	return n
}

func (d *recordDecoder) int() int   { return int(d.uint()) }
func (d *recordDecoder) bool() bool { return d.uint() != 0 }

func (d *recordDecoder) text() string {
	size := d.uint()
	if size > uint64(len(d.rest)) {
		d.damaged()
		return ""
	}
	text := string(d.rest[:size])
	d.rest = d.rest[size:]
	return text
}

func (d *recordDecoder) time() time.Time {
	seconds, size := binary.Varint(d.rest)
	if size <= 0 {
		d.damaged()
		return time.Time{}
	}
	d.rest = d.rest[size:]
	t := time.Unix(seconds, int64(d.uint())).UTC()
	if t.IsZero() {
		return time.Time{}
	}
	return t
}

func (d *recordDecoder) damaged() { d.rest, d.isDamaged = nil, true }

// end returns an error if the record was damaged, or longer than its fields.
func (d *recordDecoder) end() error {
	if d.isDamaged || len(d.rest) > 0 {
		return errDamagedRecord
	}
	return nil
}
