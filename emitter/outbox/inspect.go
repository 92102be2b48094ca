package outbox

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"

	bolt "go.etcd.io/bbolt"
)

// How bbolt lays a page out, in the byte order of the machine: a header (id,
// flags, count, overflow), as many elements, then what these point at.
const (
	pageHeader  = 16
	elementSize = 16
	branchPage  = 1
	leafPage    = 2
	// bucketHeader is a bucket's own record: its root page and a sequence.
	bucketHeader = 16
	bucketFlag   = 1
	// maxDepth is deeper than any tree that fits on a disk.
	maxDepth = 32
)

// inspector walks all pages of a file that bbolt would walk when it opens it to
// write. bbolt does that in a goroutine of its own and panics there where a page
// makes no sense, which ends the process, and nobody could keep it from doing so.
type inspector struct {
	file     *os.File
	pageSize int
	// seen has the pages that were met so far; there are as many as it is long.
	seen []bool
	// buffers hold the pages on the way from the root, by depth.
	buffers [maxDepth][]byte
}

// inspect returns an error where a file is damaged, and changes nothing.
func inspect(path string) (err error) {
	defer guard(&err)()
	db, err := bolt.Open(path, 0o600, &bolt.Options{ReadOnly: true, Timeout: lockTimeout})
	if err != nil {
		return err
	}
	defer func() { _ = closeDB(db) }() // nothing was written
	return db.View(func(tx *bolt.Tx) error {
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		size := db.Info().PageSize
		i := &inspector{file: file, pageSize: size, seen: make([]bool, tx.Size()/int64(size))}
		return i.tree(uint64(tx.Cursor().Bucket().Root()), 0, nil, nil)
	})
}

// tree walks a tree whose keys are min or more and less than max, where these are not nil.
func (i *inspector) tree(root uint64, depth int, low, high []byte) error {
	page, err := i.read(root, depth)
	if err != nil {
		return err
	}
	if binary.NativeEndian.Uint16(page[8:]) == leafPage {
		return i.leaf(page, depth, low, high)
	}
	count := int(binary.NativeEndian.Uint16(page[10:]))
	if count == 0 {
		return fmt.Errorf("%w: a page leads nowhere", errCorrupt)
	}
	key, err := branchKey(page, 0)
	for n := range count {
		child, next := binary.NativeEndian.Uint64(page[pageHeader+n*elementSize+8:]), high
		if n+1 < count && err == nil {
			next, err = branchKey(page, n+1)
		}
		if err == nil && !isBetween(key, low, next) {
			err = fmt.Errorf("%w: keys are not in their order", errCorrupt)
		}
		if err == nil {
			err = i.tree(child, depth+1, key, next)
		}
		if err != nil {
			return err
		}
		key, low = next, next
	}
	return nil
}

// leaf looks at the keys of a leaf, and walks the buckets in it.
func (i *inspector) leaf(page []byte, depth int, low, high []byte) error {
	count := int(binary.NativeEndian.Uint16(page[10:]))
	for n := range count {
		at := pageHeader + n*elementSize
		if at+elementSize > len(page) {
			return fmt.Errorf("%w: a page is too short", errCorrupt)
		}
		keySize := int(binary.NativeEndian.Uint32(page[at+8:]))
		record, err := cut(page, at+int(binary.NativeEndian.Uint32(page[at+4:])), keySize+int(binary.NativeEndian.Uint32(page[at+12:])))
		if err != nil {
			return err
		}
		key := record[:keySize]
		if !isBetween(key, low, high) || n > 0 && bytes.Equal(key, low) {
			return fmt.Errorf("%w: keys are not in their order", errCorrupt)
		}
		low = key
		if binary.NativeEndian.Uint32(page[at:])&bucketFlag == 0 {
			continue
		}
		if err := i.bucket(record[keySize:], depth); err != nil {
			return err
		}
	}
	return nil
}

// bucket walks a bucket, which is small enough to stand in its own record or has pages.
func (i *inspector) bucket(record []byte, depth int) error {
	if len(record) < bucketHeader {
		return fmt.Errorf("%w: a bucket is too short", errCorrupt)
	}
	if root := binary.NativeEndian.Uint64(record); root != 0 {
		return i.tree(root, depth+1, nil, nil)
	}
	inline := record[bucketHeader:]
	if len(inline) < pageHeader || binary.NativeEndian.Uint16(inline[8:]) != leafPage {
		return fmt.Errorf("%w: a small bucket is no leaf", errCorrupt)
	}
	return i.leaf(inline, depth, nil, nil)
}

// read reads a page that was not met before, with those that it flows over into.
func (i *inspector) read(id uint64, depth int) ([]byte, error) {
	if depth >= maxDepth || id < 2 || id >= uint64(len(i.seen)) {
		return nil, fmt.Errorf("%w: page %d cannot be", errCorrupt, id)
	}
	if i.buffers[depth] == nil {
		i.buffers[depth] = make([]byte, i.pageSize)
	}
	page := i.buffers[depth][:i.pageSize]
	if _, err := i.file.ReadAt(page, int64(id)*int64(i.pageSize)); err != nil {
		return nil, fmt.Errorf("%w: page %d: %w", errCorrupt, id, err)
	}
	flags, overflow := binary.NativeEndian.Uint16(page[8:]), uint64(binary.NativeEndian.Uint32(page[12:]))
	isPage := binary.NativeEndian.Uint64(page) == id && (flags == branchPage || flags == leafPage)
	if !isPage || id+overflow >= uint64(len(i.seen)) {
		return nil, fmt.Errorf("%w: page %d is not one", errCorrupt, id)
	}
	for n := id; n <= id+overflow; n++ {
		if i.seen[n] {
			return nil, fmt.Errorf("%w: page %d is met twice", errCorrupt, n)
		}
		i.seen[n] = true
	}
	if overflow == 0 {
		return page, nil
	}
	long := make([]byte, (1+overflow)*uint64(i.pageSize))
	if _, err := i.file.ReadAt(long, int64(id)*int64(i.pageSize)); err != nil {
		return nil, fmt.Errorf("%w: page %d: %w", errCorrupt, id, err)
	}
	return long, nil
}

func branchKey(page []byte, n int) ([]byte, error) {
	at := pageHeader + n*elementSize
	if at+elementSize > len(page) {
		return nil, fmt.Errorf("%w: a page is too short", errCorrupt)
	}
	return cut(page, at+int(binary.NativeEndian.Uint32(page[at:])), int(binary.NativeEndian.Uint32(page[at+4:])))
}

func cut(page []byte, from, size int) ([]byte, error) {
	if from+size > len(page) {
		return nil, fmt.Errorf("%w: a record reaches out of its page", errCorrupt)
	}
	return page[from : from+size], nil
}

func isBetween(key, low, high []byte) bool {
	return (low == nil || bytes.Compare(key, low) >= 0) && (high == nil || bytes.Compare(key, high) < 0)
}
