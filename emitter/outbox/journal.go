package outbox

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
)

const (
	// segmentSize is how long a segment becomes: then it takes no further commit.
	segmentSize = 8 << 20
	// segmentPart is the smallest part of retention.size that a segment is, so that
	// little of a small one goes into the journal.
	segmentPart = 16
	// reserveSize is how many bytes a file grows by.
	reserveSize = 512 << 10
	// asideSuffix is the end of the names of damaged files.
	asideSuffix = ".damaged"
)

// journal is where a commit becomes durable: one write and one fdatasync of a
// file that is long enough already, so that nothing but its content has to reach
// the disk. It has two files. The segments alternate between them, and a new one
// begins in a file whose segment is in the state file:
//
//	journal-0   │ segment 6, being checkpointed │
//	journal-1   │ segment 7, written ──►   │ remains of segment 5
//
// It belongs to the writer, but for wipe.
type journal struct {
	disk disk
	dir  string
	// limit is how long a segment becomes.
	limit int64
	files [2]file // nil until they are needed
	// last is the position of the last record.
	last position
	// length is what the records of the segment take, reserved the size of its file.
	length, reserved int64
	buffer           []byte
}

// segmentOf returns how long the segments are where the state can have that size, 0
// without a bound.
func segmentOf(size int64) int64 {
	if size == 0 {
		return segmentSize
	}
	return min(segmentSize, size/segmentPart)
}

// append writes the changes as one record and waits until it is on disk. If that
// fails, the record may be on disk all the same, and the next one replaces it.
func (j *journal) append(changes *overlay) error {
	f, err := j.file(j.last.segment)
	if err != nil {
		return err
	}
	next := j.last
	next.seq++
	j.buffer = appendRecord(slices.Grow(j.buffer[:0], headerSize+changes.memory), next, changes)
	j.reserve(f, j.length+int64(len(j.buffer)))
	if _, err := f.WriteAt(j.buffer, j.length); err != nil {
		return err
	}
	if err := f.sync(); err != nil {
		return err
	}
	j.last, j.length = next, j.length+int64(len(j.buffer))
	j.reserved = max(j.reserved, j.length)
	if isLarge := cap(j.buffer) > 2*reserveSize; isLarge {
		j.buffer = nil
	}
	return nil
}

// reserve makes the file long enough, with zeros. On a full disk it does nothing,
// for the record itself may still fit.
func (j *journal) reserve(f file, length int64) {
	if length <= j.reserved {
		return
	}
	size := (length + reserveSize - 1) / reserveSize * reserveSize
	if _, err := f.WriteAt(make([]byte, size-j.reserved), j.reserved); err != nil {
		_ = f.Truncate(j.reserved) // gives back what it took
		return
	}
	j.reserved = size
}

// rotate begins the next segment. The one that the same file held before must be
// in the state file.
func (j *journal) rotate() error {
	f, err := j.file(j.last.segment + 1)
	if err != nil {
		return err
	}
	size, err := f.size()
	if err != nil {
		return err
	}
	j.last.segment++
	j.length, j.reserved = 0, size
	return nil
}

// wipe deletes the content of a segment's file.
func (j *journal) wipe(segment uint64) error {
	f, err := j.file(segment)
	if err != nil {
		return err
	}
	return errors.Join(f.Truncate(0), f.sync())
}

// restore reads the segments after a position, at most two, and continues after
// the last one.
func (j *journal) restore(after position) (found []*segment, err error) {
	j.last = after
	var content [2][]byte
	for n := range content {
		if content[n], err = j.read(after.segment + 1 + uint64(n)); err != nil {
			return nil, err
		}
	}
	for _, data := range content {
		s := parseSegment(data, j.last)
		if s == nil {
			break
		}
		found = append(found, s)
		j.last, j.length, j.reserved = s.last, s.length, int64(len(data))
	}
	if len(found) > 0 {
		return found, j.clearTail(content[(j.last.segment-after.segment)-1])
	}
	second := position{state: after.state, segment: after.segment + 1, seq: after.seq}
	if s := parseSegment(content[1], second); s != nil { // the first one is lost
		s.damaged++
		return []*segment{s}, nil
	}
	return nil, errors.Join(j.rotate(), j.clearTail(content[0]))
}

// clearTail overwrites the header of a record that was torn by a crash. Otherwise
// it could be complete once the next record is torn in turn, and make a change
// that was taken for lost.
func (j *journal) clearTail(content []byte) error {
	tail := content[j.length:]
	tail = tail[:min(headerSize, len(tail))]
	if isClear := len(bytes.Trim(tail, "\x00")) == 0; isClear {
		return nil
	}
	f, err := j.file(j.last.segment)
	if err != nil {
		return err
	}
	if _, err := f.WriteAt(make([]byte, len(tail)), j.length); err != nil {
		return err
	}
	return f.sync()
}

// read returns the content of a segment's file.
func (j *journal) read(segment uint64) ([]byte, error) {
	f, err := j.file(segment)
	if err != nil {
		return nil, err
	}
	size, err := f.size()
	if err != nil {
		return nil, err
	}
	data := make([]byte, size)
	if n, err := f.ReadAt(data, 0); n < len(data) {
		return nil, fmt.Errorf("cannot read %s: %w", j.path(segment), err)
	}
	return data, nil
}

// file returns the file of a segment. Its name is durable.
func (j *journal) file(segment uint64) (file, error) {
	at := &j.files[segment%2]
	if *at != nil {
		return *at, nil
	}
	f, err := j.disk.open(j.path(segment))
	if err != nil {
		return nil, err
	}
	if err := j.disk.syncDir(j.dir); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	*at = f
	return f, nil
}

func (j *journal) path(segment uint64) string {
	return filepath.Join(j.dir, fmt.Sprintf("journal-%d", segment%2))
}

// setAside closes the files and renames them, so that they are not written over.
func (j *journal) setAside() error {
	err := j.close()
	for n := range uint64(len(j.files)) {
		err = errors.Join(err, j.disk.rename(j.path(n), j.path(n)+asideSuffix))
	}
	return errors.Join(err, j.disk.syncDir(j.dir))
}

// removeAside deletes damaged files that were set aside.
func (j *journal) removeAside() (err error) {
	for n := range uint64(len(j.files)) {
		err = errors.Join(err, j.disk.remove(j.path(n)+asideSuffix))
	}
	return err
}

// remove closes and deletes the files.
func (j *journal) remove() error {
	err := j.close()
	for n := range uint64(len(j.files)) {
		err = errors.Join(err, j.disk.remove(j.path(n)))
	}
	return err
}

func (j *journal) close() (err error) {
	for n, f := range j.files {
		if f != nil {
			err = errors.Join(err, f.Close())
		}
		j.files[n] = nil
	}
	return err
}
