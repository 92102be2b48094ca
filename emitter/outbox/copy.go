package outbox

import (
	"errors"

	bolt "go.etcd.io/bbolt"
)

const (
	// copySuffix is the end of the name of an unfinished copy.
	copySuffix = ".copy"
	// copyAtOnce is how many bytes one transaction of a copy has.
	copyAtOnce = 4 << 20
	// copyFill leaves some room in the pages of buckets that keys are inserted into.
	copyFill = 0.9
)

// copyTo writes what the engine holds at this moment into a new file, which the
// caller closes. It is not synced.
func (e *engine) copyTo(path string, until ending) (copied *bolt.DB, err error) {
	if err := removeFile(path); err != nil {
		return nil, err
	}
	v, err := e.view()
	if err != nil {
		return nil, err
	}
	defer v.end()
	db, err := openDB(path)
	if err != nil {
		return nil, err
	}
	db.NoSync, db.NoGrowSync = true, true
	for b := range bucketCount {
		if err = v.copyBucket(db, b, until); err != nil {
			return nil, errors.Join(err, closeDB(db), removeFile(path))
		}
	}
	return db, nil
}

// copyBucket copies a bucket and its sequence.
func (v *view) copyBucket(db *bolt.DB, b bucket, until ending) error {
	for next := []byte{}; next != nil; {
		err := db.Update(func(tx *bolt.Tx) (err error) {
			to, err := makeFileBucket(tx, b)
			if err != nil {
				return err
			}
			if to.FillPercent = copyFill; b.isGrowing() {
				to.FillPercent = growingFill
			}
			if next, err = v.copyRecords(to, b, next); err != nil {
				return err
			}
			return errors.Join(to.SetSequence(v.sequence(b)), until.err())
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// copyRecords copies some records of a bucket, from a key on. next is where to
// continue, nil at the end.
func (v *view) copyRecords(to fileBucket, b bucket, from []byte) (next []byte, err error) {
	size := 0
	for key, value := range v.ascendSealed(b, nil, from) {
		if size >= copyAtOnce {
			return key, nil
		}
		if err := to.Put(key, value); err != nil {
			return nil, err
		}
		size += len(key) + len(value)
	}
	return nil, nil
}
