package outbox

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"

	bolt "go.etcd.io/bbolt"
)

// maxDepth is deeper than any tree that fits on a disk.
const maxDepth = 32

// inspect returns an error if a file is damaged. It changes nothing.
//
// When bbolt opens a file to write, it walks all pages to find the free ones, in
// a goroutine of its own. On a page that makes no sense it panics there, where
// nobody can recover, and a cycle of pages overflows its stack: a damaged file
// would end the process, and so keep the proxy from starting. bbolt's own Check
// does the same walk. So inspect does it first, with no trust in what it reads.
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
		return i.tree(uint64(tx.Cursor().Bucket().Root()), 0, keyRange{})
	})
}

// inspector walks the pages that are reachable from the root:
//
//	root ─► branch ─┬─► leaf ─┬─ key, value
//	                │         ├─ key, bucket inside of the record
//	                │         └─ key, bucket ─► root of its own
//	                └─► leaf …
type inspector struct {
	file     *os.File
	pageSize int
	// seen marks the pages that were read so far; it is as long as the file has pages.
	seen []bool
	// buffers hold the pages on the way from the root, by depth.
	buffers [maxDepth][]byte
}

// tree checks the tree below a page, whose keys must lie in a range.
func (i *inspector) tree(root uint64, depth int, within keyRange) error {
	p, err := i.read(root, depth)
	if err != nil {
		return err
	}
	if p.kind() == leafPage {
		return i.leaf(p, depth, within)
	}
	return i.branch(p, depth, within)
}

// branch checks the trees that a branch page refers to: the keys of each lie
// between its key in the branch page and the next one.
func (i *inspector) branch(p page, depth int, within keyRange) error {
	if p.count() == 0 {
		return corrupt("a branch page is empty")
	}
	for n := range p.count() {
		key, child, err := p.branchElement(n)
		if err != nil {
			return err
		}
		below := keyRange{low: key, high: within.high}
		if hasNext := n+1 < p.count(); hasNext {
			if below.high, _, err = p.branchElement(n + 1); err != nil {
				return err
			}
		}
		if isOrdered := within.contains(key) && below.contains(key); !isOrdered {
			return corrupt("the keys of a branch page are not in order")
		}
		if err := i.tree(child, depth+1, below); err != nil {
			return err
		}
	}
	return nil
}

// leaf checks the keys of a leaf page, and the buckets in it.
func (i *inspector) leaf(p page, depth int, within keyRange) error {
	var last []byte
	for n := range p.count() {
		key, value, isBucket, err := p.leafElement(n)
		if err != nil {
			return err
		}
		isFirst := n == 0
		if isOrdered := within.contains(key) && (isFirst || bytes.Compare(last, key) < 0); !isOrdered {
			return corrupt("the keys of a leaf page are not in order")
		}
		last = key
		if isBucket {
			if err := i.bucket(value, depth); err != nil {
				return err
			}
		}
	}
	return nil
}

// bucket checks a bucket. Its record has the page of its root or, for a small
// bucket, 0 and then a whole leaf page.
func (i *inspector) bucket(value []byte, depth int) error {
	if len(value) < bucketHeaderSize {
		return corrupt("the record of a bucket is too short")
	}
	if root := binary.NativeEndian.Uint64(value); root != 0 {
		return i.tree(root, depth+1, keyRange{})
	}
	inline := page(value[bucketHeaderSize:])
	if len(inline) < pageHeaderSize || inline.kind() != leafPage {
		return corrupt("an inline bucket is not a leaf page")
	}
	return i.leaf(inline, depth, keyRange{})
}

// read reads a page with its overflow pages, none of which may have been read before.
func (i *inspector) read(id uint64, depth int) (page, error) {
	isInFile := func(id uint64) bool { return id < uint64(len(i.seen)) }
	if isMeta := id < 2; isMeta || !isInFile(id) || depth >= maxDepth {
		return nil, corrupt("page %d is out of range", id)
	}
	if i.buffers[depth] == nil {
		i.buffers[depth] = make([]byte, i.pageSize)
	}
	p := page(i.buffers[depth])
	if err := i.readAt(p, id); err != nil {
		return nil, err
	}
	if isTree := p.kind() == branchPage || p.kind() == leafPage; p.id() != id || !isTree {
		return nil, corrupt("page %d is not a branch or leaf page", id)
	}
	last := id + p.overflow()
	if !isInFile(last) {
		return nil, corrupt("page %d overflows the file", id)
	}
	for n := id; n <= last; n++ {
		if i.seen[n] {
			return nil, corrupt("page %d is referred to twice", n)
		}
		i.seen[n] = true
	}
	if p.overflow() > 0 {
		p = make(page, (1+p.overflow())*uint64(i.pageSize))
		if err := i.readAt(p, id); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (i *inspector) readAt(p page, id uint64) error {
	if _, err := i.file.ReadAt(p, int64(id)*int64(i.pageSize)); err != nil {
		return corrupt("cannot read page %d: %w", id, err)
	}
	return nil
}

// keyRange is the range of keys from low to high, exclusive; nil is no bound.
type keyRange struct{ low, high []byte }

func (r keyRange) contains(key []byte) bool {
	return (r.low == nil || bytes.Compare(key, r.low) >= 0) && (r.high == nil || bytes.Compare(key, r.high) < 0)
}

func corrupt(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{errCorrupt}, args...)...)
}
