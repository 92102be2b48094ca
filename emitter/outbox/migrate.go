package outbox

import (
	"bytes"
	"errors"

	bolt "go.etcd.io/bbolt"
)

// The records of format 1 have no seals, and are in buckets whose names have no
// number. They move to the buckets of format 2 a few at a time, because a file can
// have millions; a start that is cut short goes on where it was.

// moveAtOnce is how many bytes of records one transaction moves.
const moveAtOnce = 4 << 20

// moveRecords moves all records but those of meta.
func moveRecords(db *bolt.DB, atOnce int) error {
	// The index of journeys is made from their records, so it comes first.
	order := []bucket{bucketJourneyAge}
	for b := range bucketCount {
		if b != bucketMeta && b != bucketJourneyAge {
			order = append(order, b)
		}
	}
	for _, b := range order {
		for isDone := false; !isDone; {
			err := db.Update(func(tx *bolt.Tx) (err error) {
				isDone, err = moveSome(tx, b, atOnce)
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// moveSome moves some records of a bucket. It reports whether those were the last.
func moveSome(tx *bolt.Tx, b bucket, atOnce int) (isDone bool, err error) {
	to, err := makeFileBucket(tx, b)
	if err != nil {
		return false, err
	}
	from := tx.Bucket(b.format1Name())
	if from == nil {
		return true, nil
	}
	if b.isGrowing() {
		to.FillPercent = growingFill
	}
	if err := to.SetSequence(from.Sequence()); err != nil {
		return false, err
	}
	moved, size := [][]byte{}, 0
	cursor := from.Cursor()
	key, value := cursor.First()
	for ; key != nil && size < atOnce; key, value = cursor.Next() {
		if next, ok := movedKey(tx, b, key); ok {
			if err := to.Put(next, newRecord(b, next, value).value); err != nil {
				return false, err
			}
		}
		moved, size = append(moved, bytes.Clone(key)), size+len(key)+len(value)
	}
	if key == nil {
		return true, tx.DeleteBucket(b.format1Name())
	}
	for _, key := range moved {
		err = errors.Join(err, from.Delete(key))
	}
	return false, err
}

// movedKey returns a record's key in format 2. A key of journey_age was an hour and
// the key of a journey; ok is false if there is no such journey.
func movedKey(tx *bolt.Tx, b bucket, key []byte) (next []byte, ok bool) {
	if b != bucketJourneyAge {
		return key, true
	}
	const hour = 4
	journeys := tx.Bucket(bucketJourneys.format1Name())
	if journeys == nil || len(key) <= hour {
		return nil, false
	}
	r, ok := decodeJourney(journeys.Get(key[hour:]))
	return newAgeKey(string(key[hour:]), r), ok
}

// sealMeta seals the records of meta but that of the format.
func sealMeta(tx *bolt.Tx) error {
	meta := tx.Bucket(bucketMeta.name())
	var records [][2][]byte
	err := meta.ForEach(func(key, value []byte) error {
		if !bytes.Equal(key, keyFormat) {
			records = append(records, [2][]byte{bytes.Clone(key), bytes.Clone(value)})
		}
		return nil
	})
	for _, r := range records {
		err = errors.Join(err, putMeta(meta, r[0], r[1]))
	}
	return err
}
