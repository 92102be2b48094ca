package outbox

import (
	"bytes"
	"iter"

	bolt "go.etcd.io/bbolt"
)

// view is a consistent snapshot of the state. It is for one goroutine. The bytes
// that it returns are valid until it ends and must not be changed.
type view struct {
	bolt    *bolt.Tx
	buckets [bucketCount]*bolt.Bucket
}

func newView(tx *bolt.Tx) *view { return &view{bolt: tx} }

// get returns the value of a key, nil if there is none.
func (v *view) get(b bucket, key []byte) []byte { return v.bucket(b).Get(key) }

// first returns the first key of a bucket that begins with prefix, nil if there is none.
func (v *view) first(b bucket, prefix []byte) []byte {
	for key := range v.ascend(b, prefix, nil) {
		return key
	}
	return nil
}

// ascend yields the records of a bucket whose keys begin with prefix, in their
// order, from start on or, if that is nil, all of them. A key is valid until the
// bucket is changed, which must not happen before the end of the loop.
func (v *view) ascend(b bucket, prefix, start []byte) iter.Seq2[[]byte, []byte] {
	if start == nil {
		start = prefix
	}
	return func(yield func(key, value []byte) bool) {
		cursor := v.bucket(b).Cursor()
		for key, value := cursor.Seek(start); key != nil && bytes.HasPrefix(key, prefix); key, value = cursor.Next() {
			if !yield(key, value) {
				return
			}
		}
	}
}

// descend is ascend in the opposite order, from the last key before end on.
func (v *view) descend(b bucket, prefix, end []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(key, value []byte) bool) {
		cursor := v.bucket(b).Cursor()
		key, value := cursor.Seek(end)
		if key == nil {
			key, value = cursor.Last()
		} else {
			key, value = cursor.Prev()
		}
		for ; key != nil && bytes.HasPrefix(key, prefix); key, value = cursor.Prev() {
			if !yield(key, value) {
				return
			}
		}
	}
}

// identity returns the identity of the state.
func (v *view) identity() identity {
	return readIdentity(func(key []byte) []byte { return v.get(bucketMeta, key) })
}

func (v *view) bucket(b bucket) *bolt.Bucket {
	if v.buckets[b] == nil {
		v.buckets[b] = v.bolt.Bucket(b.name())
	}
	return v.buckets[b]
}
