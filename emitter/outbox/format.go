package outbox

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"

	bolt "go.etcd.io/bbolt"
)

// migrations[n] turns format n+1 into format n+2. A file of an older format goes
// through them in order when it is opened.
var migrations = []func(*bolt.Tx) error{
	// Format 2 has a journal, which a release that knows format 1 would ignore, seals,
	// and other buckets, to which moveRecords has moved all records before. A later
	// step must not run before what the journal has is in the file.
	sealMeta,
}

// currentFormat is the format that this release writes.
func currentFormat() uint64 { return uint64(len(migrations)) + 1 }

var keyFormat = []byte("format")

// prepare brings a file to the current format. It returns the position up to which
// the file has what the journal has.
func prepare(db *bolt.DB) (p position, err error) {
	defer guard(&err)()
	isFirstFormat := false
	err = db.View(func(tx *bolt.Tx) error {
		meta := tx.Bucket(bucketMeta.name())
		isFirstFormat = meta != nil && formatOf(meta) == 1
		if meta != nil && formatOf(meta) == currentFormat() && tx.Bucket(fillerName) == nil && hasBuckets(tx) && getMeta(meta, keyEpoch) != nil {
			p = readPosition(meta)
		}
		return nil
	})
	if err == nil && isFirstFormat {
		err = moveRecords(db, moveAtOnce)
	}
	if isComplete := p.state != 0; err == nil && !isComplete {
		err = db.Update(func(tx *bolt.Tx) (err error) {
			p, err = complete(tx)
			return err
		})
	}
	if err != nil {
		return position{}, err
	}
	// bbolt's statistics count the free pages only after a write transaction.
	tx, err := db.Begin(true)
	if err != nil {
		return position{}, err
	}
	return p, tx.Rollback()
}

// complete fills a new file, migrates an old one, draws the random values that a
// new file or a copy lacks, and removes what an interrupted Scrub has left.
func complete(tx *bolt.Tx) (p position, err error) {
	meta := tx.Bucket(bucketMeta.name())
	if meta == nil {
		err = initialise(tx)
	} else {
		err = migrate(tx, meta)
	}
	if err == nil && tx.Bucket(fillerName) != nil {
		err = tx.DeleteBucket(fillerName)
	}
	for b := bucketMeta; err == nil && b < bucketCount; b++ { // a file of an earlier release lacks some
		_, err = makeFileBucket(tx, b)
	}
	if err != nil {
		return position{}, err
	}
	meta = tx.Bucket(bucketMeta.name())
	if p = readPosition(meta); p.state == 0 {
		p = position{state: randomState()}
		err = putPosition(meta, p)
	}
	if isCopy := getMeta(meta, keyEpoch) == nil; isCopy {
		err = errors.Join(err, drawEpoch(meta))
	}
	return p, err
}

// hasBuckets reports whether a file has all buckets.
func hasBuckets(tx *bolt.Tx) bool {
	for b := range bucketCount {
		if tx.Bucket(b.name()) == nil {
			return false
		}
	}
	return tx.Bucket(piecesName) != nil
}

// randomState returns the random number that the journal of a file has.
func randomState() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return binary.BigEndian.Uint64(b[:]) | 1
}

// initialise makes the buckets of a new file.
func initialise(tx *bolt.Tx) error {
	if first, _ := tx.Cursor().First(); first != nil {
		return fmt.Errorf("%s is not a state file of sidehook: move it away", fileName)
	}
	for b := range bucketCount {
		if _, err := tx.CreateBucket(b.name()); err != nil {
			return err
		}
	}
	return setFormat(tx.Bucket(bucketMeta.name()), currentFormat())
}

func migrate(tx *bolt.Tx, meta *bolt.Bucket) error {
	from, to := formatOf(meta), currentFormat()
	if from == 0 || from > to {
		return fmt.Errorf("%s has format %d, from a newer release, and this one knows up to %d: use that release, or move the file away", fileName, from, to)
	}
	for _, step := range migrations[from-1:] {
		if err := step(tx); err != nil {
			return fmt.Errorf("cannot migrate %s from format %d to %d: %w", fileName, from, to, err)
		}
	}
	return setFormat(meta, to)
}

// formatOf returns the format of a file, 0 if it has none.
func formatOf(meta *bolt.Bucket) uint64 {
	if record := meta.Get(keyFormat); len(record) == 8 {
		return binary.BigEndian.Uint64(record)
	}
	return 0
}

func setFormat(meta *bolt.Bucket, n uint64) error { return meta.Put(keyFormat, uint64Key(n)) }
