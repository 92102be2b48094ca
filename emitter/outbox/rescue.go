package outbox

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"os"
	"path/filepath"

	bolt "go.etcd.io/bbolt"
)

// rescueAtOnce is how many bytes of records one transaction of a rescue has.
const rescueAtOnce = 4 << 20

// rescue puts a new state file in the place of one with damaged pages: it has all
// records of the pages that can be reached and read. Their seals show later which of
// them are damaged. The damaged file is kept beside it. If too little can be read,
// everything stays as it is, and the error is the cause.
func rescue(path string, cause error, log *slog.Logger) error {
	r, err := rescueTo(path, path+copySuffix)
	if err != nil {
		return errors.Join(cause, err, removeFile(path+copySuffix))
	}
	aside := path + asideSuffix
	err = removeFile(aside)
	if err == nil {
		err = os.Link(path, aside) // there is a state file at any moment
	}
	if err == nil {
		err = errors.Join(os.Rename(path+copySuffix, path), syncDir(filepath.Dir(path)))
	}
	if err == nil {
		log.Error("the state file is damaged: what its other pages have goes on in a new one, and the damaged one is kept beside it; look for a failing disk",
			"file", aside, "lost_pages", r.lost, "error", cause)
	}
	return err
}

// rescuer copies the records of a damaged file.
type rescuer struct {
	inspector
	to *bolt.DB
	tx *bolt.Tx
	// pending is how many bytes the transaction has, lost how many pages could not be
	// read, without those that only they led to.
	pending, lost int
}

// rescueTo writes what can be read of a file to a new one.
func rescueTo(from, to string) (r *rescuer, err error) {
	defer guard(&err)()
	if err := removeFile(to); err != nil {
		return nil, err
	}
	db, err := openDB(to)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, closeDB(db)) }()
	db.NoSync, db.NoGrowSync = true, true
	if r, err = rescueRecords(from, db); err != nil {
		return nil, err
	}
	return r, errors.Join(db.Sync(), isUsable(db))
}

// isUsable returns an error if a file lacks what nothing can replace.
func isUsable(db *bolt.DB) error {
	return db.View(func(tx *bolt.Tx) error {
		meta := tx.Bucket(bucketMeta.name())
		if formatOf(meta) != currentFormat() || identityOf(meta).epoch == "" || readPosition(meta).state == 0 {
			return corrupt("its identity cannot be read")
		}
		return nil
	})
}

func rescueRecords(path string, to *bolt.DB) (*rescuer, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	roots, err := readRoots(file)
	if err != nil {
		return nil, err
	}
	for _, root := range roots { // the last commit, or the one before
		r := &rescuer{inspector: inspector{file: file, pageSize: root.pageSize, seen: make([]bool, root.pages)}, to: to}
		if err = r.copyAll(root.page); !errors.Is(err, errCorrupt) {
			return r, err
		}
	}
	return nil, err
}

// copyAll copies all buckets.
func (r *rescuer) copyAll(root uint64) (err error) {
	if r.tx, err = r.to.Begin(true); err != nil {
		return err
	}
	defer func() { _ = r.tx.Rollback() }() // of nothing, after Commit
	for b := range bucketCount {
		if _, err := makeFileBucket(r.tx, b); err != nil {
			return err
		}
	}
	names := map[string]bool{string(piecesName): true}
	for b := range bucketCount {
		names[string(b.name())] = true
	}
	found := 0
	err = r.tree(root, 0, keyRange{}, func(name, header []byte) error {
		if !names[string(name)] || len(header) < bucketHeaderSize {
			return nil
		}
		found++
		return r.copyBucket(string(name), header)
	})
	if err == nil && found == 0 {
		err = corrupt("no bucket can be reached")
	}
	if err != nil {
		return err
	}
	return r.tx.Commit()
}

// copyBucket copies the records of a bucket.
func (r *rescuer) copyBucket(name string, header []byte) error {
	err := r.tx.Bucket([]byte(name)).SetSequence(binary.NativeEndian.Uint64(header[8:]))
	if err != nil {
		return err
	}
	put := func(key, value []byte) error {
		if len(key) == 0 || len(key) > bolt.MaxKeySize {
			return nil
		}
		if r.pending += len(key) + len(value); r.pending > rescueAtOnce {
			if err := r.next(); err != nil {
				return err
			}
		}
		to := r.tx.Bucket([]byte(name))
		to.FillPercent = copyFill
		return to.Put(append([]byte(nil), key...), append([]byte(nil), value...))
	}
	if root := binary.NativeEndian.Uint64(header); root != 0 {
		return r.tree(root, 1, keyRange{}, put)
	}
	return r.elements(page(header[bucketHeaderSize:]), keyRange{}, put)
}

// next commits and begins the next transaction.
func (r *rescuer) next() (err error) {
	if err := r.tx.Commit(); err != nil {
		return err
	}
	r.pending = 0
	r.tx, err = r.to.Begin(true)
	return err
}

// tree calls fn with what the pages have that can be reached from one and read. An
// error is one of fn.
func (r *rescuer) tree(id uint64, depth int, within keyRange, fn func(key, value []byte) error) error {
	p, err := r.read(id, depth)
	if err != nil {
		r.lost++
		return nil
	}
	if p.kind() == leafPage {
		return r.elements(p, within, fn)
	}
	for n := range p.count() {
		key, child, err := p.branchElement(n)
		if err != nil {
			r.lost++
			return nil
		}
		below := within
		if within.contains(key) {
			below.low = key
		}
		if n+1 < p.count() {
			if next, _, err := p.branchElement(n + 1); err == nil && below.contains(next) {
				below.high = next
			}
		}
		if err := r.tree(child, depth+1, below, fn); err != nil {
			return err
		}
	}
	return nil
}

// elements calls fn with the records of a leaf page that are where they belong.
func (r *rescuer) elements(p page, within keyRange, fn func(key, value []byte) error) error {
	if len(p) < pageHeaderSize || p.kind() != leafPage {
		r.lost++
		return nil
	}
	for n := range p.count() {
		key, value, _, err := p.leafElement(n)
		if err != nil {
			r.lost++
			return nil
		}
		if !within.contains(key) {
			continue
		}
		within.low = key
		if err := fn(key, value); err != nil {
			return err
		}
	}
	return nil
}

// metaPage is what one of the two first pages of a file says: where the tree of a
// commit begins, and how many pages the file has.
type metaPage struct {
	pageSize     int
	page         uint64
	pages, order uint64
}

// readRoots reads both meta pages as bbolt lays them out (internal/common/meta.go),
// the newer first.
func readRoots(file *os.File) (roots []metaPage, err error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	for n := range int64(2) {
		const size, checksum = 64, 56
		m := make([]byte, size)
		if _, err := file.ReadAt(m, n*pageSizeOf(roots)+pageHeaderSize); err != nil {
			continue
		}
		sum := fnv.New64a()
		_, _ = sum.Write(m[:checksum]) // never fails
		if isWhole := sum.Sum64() == binary.NativeEndian.Uint64(m[checksum:]); isWhole {
			one := metaPage{
				pageSize: int(binary.NativeEndian.Uint32(m[8:])), page: binary.NativeEndian.Uint64(m[16:]),
				pages: binary.NativeEndian.Uint64(m[40:]), order: binary.NativeEndian.Uint64(m[48:]),
			}
			one.pages = min(one.pages, uint64(info.Size())/uint64(one.pageSize))
			roots = append(roots, one)
		}
	}
	if len(roots) == 2 && roots[0].order < roots[1].order {
		roots[0], roots[1] = roots[1], roots[0]
	}
	if len(roots) == 0 {
		return nil, fmt.Errorf("%w: both of its meta pages", errCorrupt)
	}
	return roots, nil
}

// pageSizeOf returns the size of the pages of a file.
func pageSizeOf(roots []metaPage) int64 {
	if len(roots) > 0 {
		return int64(roots[0].pageSize)
	}
	return int64(os.Getpagesize())
}
