package outbox

import (
	"bytes"
	"encoding/binary"
	"iter"

	bolt "go.etcd.io/bbolt"
)

// view is a consistent snapshot of the state: the state file below, and above it
// the overlays with what is not in the file yet, the newest first. It is for one
// goroutine. The bytes that it returns are valid until it ends and must not be
// changed.
type view struct {
	layers []*overlay
	bolt   *bolt.Tx
	floors floors
	// damaged is called for each record that is damaged, which otherwise counts as
	// missing. It is nil in a view that only knows sound records.
	damaged func(b bucket, key, sealed []byte)
	buckets [bucketCount]fileBucket
	key     []byte // reused
	// readers are those that the view is one of, nil for a view of nobody's.
	readers *readers
}

// end releases the snapshot.
func (v *view) end() {
	_ = v.bolt.Rollback()
	if v.readers != nil {
		v.readers.end()
	}
}

// get returns the value of a key, nil if there is none.
func (v *view) get(b bucket, key []byte) []byte {
	if sealed, ok := v.overlaid(b, key); ok {
		return unseal(sealed)
	}
	sealed := v.bucket(b).Get(key)
	if sealed == nil || !v.isSound(b, key, sealed) {
		return nil
	}
	return unseal(sealed)
}

// isSound reports whether a record of the file is what was written.
func (v *view) isSound(b bucket, key, sealed []byte) bool {
	if isSealed(b, key, sealed) {
		return true
	}
	if isFormat := b == bucketMeta && bytes.Equal(key, keyFormat); v.damaged != nil && !isFormat {
		v.damaged(b, key, sealed)
	}
	return false
}

// overlaid looks for a key in the overlays alone. The value has its seal.
func (v *view) overlaid(b bucket, key []byte) (value []byte, ok bool) {
	v.key = appendKey(v.key[:0], b, key)
	for _, layer := range v.layers {
		if value, ok := layer.get(v.key); ok {
			return value, true
		}
	}
	return nil, false
}

// sequence returns the last number of a bucket's sequence, 0 before the first.
func (v *view) sequence(b bucket) uint64 {
	if value, ok := v.overlaid(sequences, []byte{byte(b)}); ok {
		return binary.BigEndian.Uint64(value)
	}
	return v.bucket(b).Sequence()
}

// first returns the first key of a bucket that begins with prefix, nil if there is none.
func (v *view) first(b bucket, prefix []byte) []byte {
	for key := range v.ascend(b, prefix, nil) {
		return key
	}
	return nil
}

// ascend yields the records of a bucket whose keys begin with prefix, in their
// order, from start on or, if that is nil, all of them. The bucket must not be
// changed before the end of the loop.
func (v *view) ascend(b bucket, prefix, start []byte) iter.Seq2[[]byte, []byte] {
	return v.sound(b, v.ascendSealed(b, prefix, start))
}

// sound leaves out what is damaged, and the seals.
func (v *view) sound(b bucket, records iter.Seq2[[]byte, []byte]) iter.Seq2[[]byte, []byte] {
	return func(yield func(key, value []byte) bool) {
		for key, sealed := range records {
			if v.isSound(b, key, sealed) && !yield(key, unseal(sealed)) {
				return
			}
		}
	}
}

// ascendSealed is ascend with the values as they are in the file.
func (v *view) ascendSealed(b bucket, prefix, start []byte) iter.Seq2[[]byte, []byte] {
	if start == nil {
		start = prefix
	}
	if floor := v.floors.of(b, prefix); bytes.Compare(start, floor) < 0 {
		start = floor
	}
	return func(yield func(key, value []byte) bool) {
		m := merger{prefix: prefix}
		for _, layer := range v.layers {
			m.add(layer.ascend(b, start))
		}
		m.add(v.bucket(b).ascend(start))
		m.run(yield)
	}
}

// descend is ascend in the opposite order, from the last key before end on.
func (v *view) descend(b bucket, prefix, end []byte) iter.Seq2[[]byte, []byte] {
	return v.sound(b, func(yield func(key, value []byte) bool) {
		m := merger{prefix: prefix, descends: true}
		for _, layer := range v.layers {
			m.add(layer.descend(b, end))
		}
		m.add(v.bucket(b).descend(end))
		m.run(yield)
	})
}

// identity returns the identity of the state.
func (v *view) identity() identity {
	return readIdentity(func(key []byte) []byte { return v.get(bucketMeta, key) })
}

// grown returns by how many bytes the state file grows once it has what the
// overlays have.
func (v *view) grown() (bytes int) {
	for _, layer := range v.layers {
		bytes += layer.grown
	}
	return bytes
}

func (v *view) bucket(b bucket) fileBucket {
	if v.buckets[b].Bucket == nil {
		v.buckets[b] = newFileBucket(v.bolt, b)
	}
	return v.buckets[b]
}
