package outbox

import (
	"encoding/binary"
	"errors"
	"time"
)

// errCorrupt is the error of a record or page that cannot be read.
var errCorrupt = errors.New("a record of the state file cannot be read: the file is damaged")

// encoder appends fields to a record. A decoder reads them in the same order.
type encoder []byte

func (e *encoder) uint(n uint64)    { *e = binary.AppendUvarint(*e, n) }
func (e *encoder) time(t time.Time) { *e = binary.BigEndian.AppendUint64(*e, uint64(nanos(t))) }
func (e *encoder) text(s string)    { e.uint(uint64(len(s))); *e = append(*e, s...) }
func (e *encoder) bytes(b []byte)   { e.uint(uint64(len(b))); *e = append(*e, b...) }

// decoder reads the fields of a record and returns copies. Once a field is
// missing, err is set and all further fields are zero.
type decoder struct {
	rest []byte
	err  error
}

func (d *decoder) uint() uint64 {
	n, size := binary.Uvarint(d.rest)
	if size <= 0 {
		d.fail()
		return 0
	}
	d.rest = d.rest[size:]
	return n
}

func (d *decoder) time() time.Time {
	if len(d.rest) < 8 {
		d.fail()
		return time.Time{}
	}
	n := int64(binary.BigEndian.Uint64(d.rest))
	d.rest = d.rest[8:]
	return fromNanos(n)
}

func (d *decoder) text() string { return string(d.raw()) }

func (d *decoder) bytes() []byte { return append([]byte(nil), d.raw()...) }

func (d *decoder) raw() []byte {
	size := d.uint()
	if size > uint64(len(d.rest)) {
		d.fail()
		return nil
	}
	field := d.rest[:size]
	d.rest = d.rest[size:]
	return field
}

func (d *decoder) fail() { d.rest, d.err = nil, errCorrupt }
