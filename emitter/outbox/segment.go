package outbox

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"

	bolt "go.etcd.io/bbolt"
)

// A segment of the journal is a file of records, one for each commit:
//
//	0         4         8            16        24      32
//	│ CRC-32C │ length  │ state file │ segment │ seq   │ changes │ next record …
//	│ uint32  │ uint32  │ uint64     │ uint64  │ uint64│
//
//	change   │ length of the key │ key │ 0 for a deleted one, or 1 + length of the value │ value │
//
// All numbers are big-endian; lengths within a change are uvarints. The checksum
// covers all that follows it, length counts the bytes of the changes. The segment
// and its records belong to one state file, by a random number that nobody who
// sends us something knows. The seq of each record is one higher than that of the
// one before, across segments. So a record that was not written for its place is
// never taken for one that was: not what an earlier segment has left in the same
// file, nor what a participant has sent.
const headerSize = 32

// position is a place in the journal: behind the record seq of a segment.
type position struct {
	// state is the random number of the state file, never 0.
	state, segment, seq uint64
}

// appendRecord appends a record that has the changes of an overlay.
func appendRecord(to []byte, p position, changes *overlay) []byte {
	start := len(to)
	to = append(to, make([]byte, 8)...)
	to = appendUint64s(to, p.state, p.segment, p.seq)
	to = appendChanges(to, changes)
	binary.BigEndian.PutUint32(to[start+4:], uint32(len(to)-start-headerSize))
	binary.BigEndian.PutUint32(to[start:], crc32.Checksum(to[start+4:], castagnoli))
	return to
}

// appendChanges appends the changes of an overlay.
func appendChanges(to []byte, changes *overlay) []byte {
	for r := range changes.all() {
		to = binary.AppendUvarint(to, uint64(len(r.key)))
		to = append(to, r.key...)
		if r.value == nil {
			to = append(to, 0)
			continue
		}
		to = binary.AppendUvarint(to, 1+uint64(len(r.value)))
		to = append(to, r.value...)
	}
	return to
}

// parseRecord reads the record at the beginning of data. size is its length, 0
// if there is no whole record.
func parseRecord(data []byte) (p position, changes []byte, size int) {
	if len(data) < headerSize {
		return position{}, nil, 0
	}
	length := uint64(binary.BigEndian.Uint32(data[4:]))
	if length > uint64(len(data)-headerSize) {
		return position{}, nil, 0
	}
	size = headerSize + int(length)
	if crc32.Checksum(data[4:size], castagnoli) != binary.BigEndian.Uint32(data) {
		return position{}, nil, 0
	}
	p = position{state: binary.BigEndian.Uint64(data[8:]), segment: binary.BigEndian.Uint64(data[16:]), seq: binary.BigEndian.Uint64(data[24:])}
	return p, data[headerSize:size], size
}

// addChanges adds the changes of a record to an overlay, which keeps their
// bytes. It returns false, and adds some of them, if they make no sense.
func addChanges(to *overlay, changes []byte) bool {
	in := decoder{rest: changes}
	for len(in.rest) > 0 {
		key := in.raw()
		size := in.uint()
		if in.err != nil || !isKey(key) {
			return false
		}
		r := record{key: key}
		if isDeleted := size == 0; !isDeleted {
			if size-1 > uint64(len(in.rest)) {
				return false
			}
			r.value, in.rest = in.rest[:size-1:size-1], in.rest[size-1:]
		}
		if isNumber := len(r.value) == 8; key[0] == byte(sequences) && !isNumber {
			return false
		}
		to.set(r)
		to.grown += fileSize(r.key[1:], r.value)
	}
	return true
}

// isKey reports whether a record can have this key.
func isKey(key []byte) bool {
	switch {
	case len(key) < 2:
		return false
	case bucket(key[0]) == sequences:
		return len(key) == 2 && bucket(key[1]) < bucketCount
	case bucket(key[0]) == strays:
		return true
	}
	return bucket(key[0]) < bucketCount && len(key)-1 <= bolt.MaxKeySize
}

// segment is what a file of the journal holds.
type segment struct {
	// last is the position of its last record, length what its records take.
	last   position
	length int64
	// changes has the changes of all its records.
	changes *overlay
	// damaged is how many records cannot be read in whole though they were once synced.
	damaged uint64
}

// parseSegment reads the content of a file as the segment that follows a
// position. It ends with the first record that is torn or of an earlier segment;
// of those that are damaged it takes what is sound. Without any record it is nil.
func parseSegment(data []byte, after position) *segment {
	s := &segment{last: after, changes: newOverlay()}
	s.last.segment++
	for {
		p, changes, size := parseRecord(data[s.length:])
		isNext := p == position{state: s.last.state, segment: s.last.segment, seq: s.last.seq + 1}
		if size > 0 && isNext {
			if !addChanges(s.changes, changes) {
				s.damaged++
			}
			s.last, s.length = p, s.length+int64(size)
			continue
		}
		gap, next := nextRecord(data[s.length:], s.last)
		if gap < 0 {
			break
		}
		addSound(s.changes, data[s.length:][:gap])
		s.damaged += next.seq - s.last.seq - 1
		s.last.seq, s.length = next.seq-1, s.length+int64(gap)
	}
	if s.length == 0 {
		return nil
	}
	return s
}

// addSound adds those changes of a damaged record to an overlay whose seals are
// whole. It passes over deletions, which have none.
func addSound(to *overlay, damaged []byte) {
	in := decoder{rest: damaged[min(headerSize, len(damaged)):]}
	for len(in.rest) > 0 {
		key := in.raw()
		size := in.uint()
		if in.err != nil || !isKey(key) || size > 1+uint64(len(in.rest)) {
			return
		}
		if size == 0 {
			continue
		}
		value := in.rest[: size-1 : size-1]
		in.rest = in.rest[size-1:]
		if b := bucket(key[0]); b != sequences && isSealed(b, key[1:], value) {
			to.set(record{key: key, value: value})
			to.grown += fileSize(key[1:], value)
		}
	}
}

// nextRecord finds the first whole record of the segment of p that comes after p
// anywhere in data; at is negative if there is none. Each record is synced before
// the next is written, so that only damage explains why something lies before it.
func nextRecord(data []byte, p position) (at int, next position) {
	mark := appendUint64s(nil, p.state, p.segment)
	for from := 8; from < len(data); from++ {
		found := bytes.Index(data[from:], mark)
		if found < 0 {
			break
		}
		from += found
		if next, _, size := parseRecord(data[from-8:]); size > 0 && next.seq > p.seq {
			return from - 8, next
		}
	}
	return -1, position{}
}
