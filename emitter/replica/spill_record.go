package replica

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"time"
)

// A spill file begins with a header of 64 bytes, records follow:
//
//	0         4          12       13      21        29                           64
//	│ CRC-32C │ sidehook │ format │ mark  │ created │ length, text of incarnation │ record …
//
//	record   │ CRC-32C │ length of the sighting │ mark │ kind │ sighting │
//	            uint32   uint32                   8      1
//
// Numbers are big-endian; a sighting is a whole piece, as in messages. Checksums cover all
// that follows them. The mark is a random number, so that nothing that a participant has
// sent is ever taken for a record.
const (
	spillFormat      = pieceFormat
	spillMagic       = "sidehook"
	markSize         = 8
	spillHeaderSize  = 64
	recordHeaderSize = 4 + 4 + markSize + 1
	maxRecord        = maxSighting + 1<<20
)

// The kinds of records.
const (
	kindSighting = 1
	// kindBlank: a sighting that was forgotten; of it only K is left.
	kindBlank = 2
)

// windowSize is how many bytes of a file are read at once, at least.
const windowSize = 256 << 10

type spillHeader struct {
	format      byte
	incarnation string
	mark        [markSize]byte
	created     time.Time
}

func (h *spillHeader) encode() []byte {
	to := make([]byte, 4, spillHeaderSize)
	to = append(to, spillMagic...)
	to = append(to, h.format)
	to = append(to, h.mark[:]...)
	to = binary.BigEndian.AppendUint64(to, uint64(h.created.UnixNano()))
	to = appendBytes(to, h.incarnation)
	to = append(to, make([]byte, spillHeaderSize-len(to))...)
	binary.BigEndian.PutUint32(to, crc32.Checksum(to[4:], castagnoli))
	return to
}

func parseSpillHeader(data []byte) (h spillHeader, err error) {
	if len(data) < spillHeaderSize || crc32.Checksum(data[4:spillHeaderSize], castagnoli) != binary.BigEndian.Uint32(data) ||
		string(data[4:12]) != spillMagic {
		return spillHeader{}, errDamaged
	}
	if data[12] > spillFormat {
		return spillHeader{}, ErrNewer
	}
	h.format = data[12]
	copy(h.mark[:], data[13:])
	h.created = time.Unix(0, int64(binary.BigEndian.Uint64(data[21:])))
	in := decoder{rest: data[29:spillHeaderSize]}
	h.incarnation = string(in.bytes())
	return h, in.err
}

// appendRecord appends the record of a sighting.
func appendRecord(to []byte, mark [markSize]byte, s *Sighting) []byte {
	start := len(to)
	to = append(to, make([]byte, recordHeaderSize)...)
	p := whole(s)
	to = appendPiece(to, spillFormat, &p)
	finishRecord(to[start:], mark, kindSighting)
	return to
}

// finishRecord fills in the header of a record.
func finishRecord(record []byte, mark [markSize]byte, kind byte) {
	binary.BigEndian.PutUint32(record[4:], uint32(len(record)-recordHeaderSize))
	copy(record[8:], mark[:])
	record[recordHeaderSize-1] = kind
	binary.BigEndian.PutUint32(record, crc32.Checksum(record[4:], castagnoli))
}

// blankRecord returns a record of the same length that has only the K of a sighting.
func blankRecord(mark [markSize]byte, k uint64, length int) []byte {
	record := make([]byte, length)
	binary.PutUvarint(record[recordHeaderSize:], k)
	finishRecord(record, mark, kindBlank)
	return record
}

// record is one that was read.
type record struct {
	// at is where it begins, next where it ends.
	at, next int64
	kind     byte
	// Sighting has only K in a blank one. Its data is valid until the next record is read.
	Sighting
}

// window reads records of a file.
type window struct {
	file   io.ReaderAt
	format byte
	mark   [markSize]byte
	// end is where the file ends.
	end   int64
	start int64
	data  []byte
}

// record returns the first sound record at or after a place; ok is false if there is none.
func (w *window) record(at int64) (r record, ok bool, err error) {
	r, ok, err = w.parse(at)
	for from := at + 1; !ok && err == nil; {
		found, err := w.find(from)
		if err != nil || found < 0 {
			return record{}, false, err
		}
		if r, ok, err = w.parse(found); ok || err != nil {
			return r, ok, err
		}
		from = found + 1
	}
	return r, ok, err
}

// parse reads the record at a place.
func (w *window) parse(at int64) (r record, ok bool, err error) {
	head, err := w.bytes(at, recordHeaderSize)
	if err != nil || len(head) < recordHeaderSize || !bytes.Equal(head[8:8+markSize], w.mark[:]) {
		return record{}, false, err
	}
	length := int64(binary.BigEndian.Uint32(head[4:]))
	if length > maxRecord || length > w.end-at-recordHeaderSize {
		return record{}, false, nil
	}
	all, err := w.bytes(at, recordHeaderSize+int(length))
	if err != nil || int64(len(all)) < recordHeaderSize+length ||
		crc32.Checksum(all[4:], castagnoli) != binary.BigEndian.Uint32(all) {
		return record{}, false, err
	}
	r = record{at: at, next: at + int64(len(all)), kind: all[recordHeaderSize-1]}
	in := decoder{rest: all[recordHeaderSize:]}
	switch r.kind {
	case kindSighting:
		r.Sighting = in.piece(w.format).Sighting
	case kindBlank:
		r.K = in.uint()
	}
	return r, in.err == nil && r.K > 0, nil
}

// find returns where a record may begin, at or after a place; negative if nowhere.
func (w *window) find(from int64) (int64, error) {
	for from < w.end {
		data, err := w.bytes(from, windowSize)
		if err != nil || len(data) < recordHeaderSize {
			return -1, err
		}
		if found := bytes.Index(data[8:], w.mark[:]); found >= 0 {
			return from + int64(found), nil
		}
		from += int64(len(data) - 8 - markSize + 1)
	}
	return -1, nil
}

// bytes returns n bytes from a place on, or as many as there are.
func (w *window) bytes(at int64, n int) ([]byte, error) {
	if at >= w.end {
		return nil, nil
	}
	n = int(min(int64(n), w.end-at))
	if isThere := at >= w.start && at+int64(n) <= w.start+int64(len(w.data)); !isThere {
		size := min(int64(max(n, windowSize)), w.end-at)
		w.start, w.data = at, make([]byte, size)
		read, err := w.file.ReadAt(w.data, at)
		w.data = w.data[:read]
		if err != nil && !errors.Is(err, io.EOF) {
			w.data = nil
			return nil, err
		}
	}
	data := w.data[min(at-w.start, int64(len(w.data))):]
	return data[:min(n, len(data))], nil
}
