package outbox

import (
	"bytes"
	"encoding/binary"

	bolt "go.etcd.io/bbolt"
)

// pieceSize is the length of all pieces of a long value but the last. bbolt does
// not divide nodes of up to four records, so that most take two pages, and none
// takes more than five. Shorter pieces cost more time than they save space.
const pieceSize = 4000

// pieceNumberSize is the length of the number at the end of a piece's key.
const pieceNumberSize = 4

// piecesName is the name of the bucket of pieces. Its keys are the number of a
// bucket, a key in it, and the number of the piece, from 1.
var piecesName = []byte("pieces")

// fileBucket is a bucket of the state file that divides long values. bbolt keeps a
// record in pages that are next to each other, so that the free pages between long
// ones would soon fit none of them, and the file would grow although much of it is
// free. The first piece is the value in the bucket itself.
type fileBucket struct {
	*bolt.Bucket
	number bucket
	pieces *bolt.Bucket
}

// newFileBucket returns a bucket of a file that is open; its fields are nil where the
// file lacks the bucket, which then has nothing to read.
func newFileBucket(tx *bolt.Tx, b bucket) fileBucket {
	return fileBucket{tx.Bucket(b.name()), b, tx.Bucket(piecesName)}
}

// makeFileBucket makes a bucket that a file may lack.
func makeFileBucket(tx *bolt.Tx, b bucket) (fileBucket, error) {
	if _, err := tx.CreateBucketIfNotExists(piecesName); err != nil {
		return fileBucket{}, err
	}
	if _, err := tx.CreateBucketIfNotExists(b.name()); err != nil {
		return fileBucket{}, err
	}
	return newFileBucket(tx, b), nil
}

// divides reports whether long values of a bucket are divided. Those of the others
// are short.
func (b bucket) divides() bool {
	switch b {
	case bucketDeliveries, bucketFailures, bucketJourneys, bucketJourneyParts, bucketPages, bucketDamaged:
		return true
	default:
		return false
	}
}

// Get returns a sealed value, nil if there is none.
func (f fileBucket) Get(key []byte) []byte {
	if f.Bucket == nil {
		return nil
	}
	return f.join(key, f.Bucket.Get(key))
}

// join returns the value that begins with a piece.
func (f fileBucket) join(key, first []byte) []byte {
	if len(first) != pieceSize || !f.number.divides() || f.pieces == nil {
		return first
	}
	value := bytes.Clone(first)
	for n := uint32(1); ; n++ {
		piece := f.pieces.Get(f.pieceKey(key, n))
		if value = append(value, piece...); len(piece) != pieceSize {
			return value
		}
	}
}

// Put adds or replaces a record.
func (f fileBucket) Put(key, sealed []byte) error {
	if !f.number.divides() {
		return f.Bucket.Put(key, sealed)
	}
	if err := f.dropPieces(key); err != nil {
		return err
	}
	first := sealed[:min(pieceSize, len(sealed))]
	if err := f.Bucket.Put(key, first); err != nil {
		return err
	}
	for n, rest := uint32(1), sealed[len(first):]; len(rest) > 0; n++ {
		piece := rest[:min(pieceSize, len(rest))]
		if err := f.pieces.Put(f.pieceKey(key, n), piece); err != nil {
			return err
		}
		rest = rest[len(piece):]
	}
	return nil
}

// Delete deletes a record, if it exists, and all pieces of its key.
func (f fileBucket) Delete(key []byte) error {
	if f.number.divides() {
		if err := f.dropPieces(key); err != nil {
			return err
		}
	}
	return f.Bucket.Delete(key)
}

// dropPieces deletes all pieces of a key, even where damage has made a gap.
func (f fileBucket) dropPieces(key []byte) error {
	prefix := appendKey(nil, f.number, key)
	var keys [][]byte
	c := f.pieces.Cursor()
	for k, _ := c.Seek(f.pieceKey(key, 0)); bytes.HasPrefix(k, prefix); k, _ = c.Next() {
		if len(k) == len(prefix)+pieceNumberSize { // not one of a longer key
			keys = append(keys, bytes.Clone(k))
		}
	}
	for _, k := range keys {
		if err := f.pieces.Delete(k); err != nil {
			return err
		}
	}
	return nil
}

func (f fileBucket) pieceKey(key []byte, n uint32) []byte {
	k := make([]byte, 0, 1+len(key)+pieceNumberSize)
	return binary.BigEndian.AppendUint32(appendKey(k, f.number, key), n)
}

// ascend returns a function that returns the records one by one, in the order of
// their keys, from start on.
func (f fileBucket) ascend(start []byte) func() (key, value []byte) {
	if f.Bucket == nil {
		return noRecords
	}
	cursor, isFirst := f.Cursor(), true
	return func() (key, value []byte) {
		if isFirst {
			isFirst = false
			key, value = cursor.Seek(start)
		} else {
			key, value = cursor.Next()
		}
		return key, f.join(key, value)
	}
}

// descend is ascend in the opposite order, from the last key before end on.
func (f fileBucket) descend(end []byte) func() (key, value []byte) {
	if f.Bucket == nil {
		return noRecords
	}
	cursor, isFirst := f.Cursor(), true
	return func() (key, value []byte) {
		if isFirst {
			isFirst = false
			if key, _ := cursor.Seek(end); key == nil {
				key, value = cursor.Last()
				return key, f.join(key, value)
			}
		}
		key, value = cursor.Prev()
		return key, f.join(key, value)
	}
}

// footprint is about how much of the file a record of n bytes takes: the pages of
// small records are half empty at worst, and a piece has a page.
func footprint(n int) int64 {
	if n < pieceSize {
		const elementHeader = 16
		return int64(n + elementHeader + min(n/2, pageSize/2))
	}
	return int64(n/pieceSize+1) * pageSize
}

// strayPieces returns the keys of pieces, among some from a key on, that are part of
// no record, as damage may leave them. next is where to go on, nil at the end.
func (v *view) strayPieces(from []byte, atOnce int) (stray [][]byte, next []byte) {
	c := v.bolt.Bucket(piecesName).Cursor()
	for key, _ := c.Seek(from); key != nil; key, _ = c.Next() {
		if atOnce--; atOnce < 0 {
			return stray, bytes.Clone(key)
		}
		if isStray(v.bolt, key) {
			stray = append(stray, bytes.Clone(key))
		}
	}
	return stray, nil
}

// dropStray deletes a piece, unless it has become part of a record.
func dropStray(tx *bolt.Tx, key []byte) error {
	if !isStray(tx, key) {
		return nil
	}
	return tx.Bucket(piecesName).Delete(key)
}

// isStray reports whether a piece belongs to no record that goes on after the piece
// before it.
func isStray(tx *bolt.Tx, key []byte) bool {
	of := key[:max(len(key)-pieceNumberSize, 0)]
	if len(of) < 2 || bucket(of[0]) >= bucketCount || !bucket(of[0]).divides() {
		return true
	}
	f := newFileBucket(tx, bucket(of[0]))
	before := f.Bucket.Get(of[1:])
	if n := binary.BigEndian.Uint32(key[len(of):]); n > 1 && len(before) == pieceSize {
		before = f.pieces.Get(f.pieceKey(of[1:], n-1))
	}
	return len(before) != pieceSize
}
