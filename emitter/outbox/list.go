package outbox

import (
	"bytes"
	"iter"
	"slices"

	bolt "go.etcd.io/bbolt"
)

// section is the part of a listing that has a target's deliveries in one state;
// Waiting stands for all pending ones.
type section struct {
	target uint32
	state  State
}

// entry is a record that a listing looks at.
type entry struct {
	seq uint64
	// key is its place in the section, for a cursor.
	key []byte
	// isMember is false for a record of another section that lies in between.
	isMember bool
}

// entries yields the records of a section that come after a key, or all of them.
func (s section) entries(tx *bolt.Tx, after []byte, newestFirst bool) iter.Seq2[entry, error] {
	switch {
	case s.state == Waiting:
		return s.pending(tx, after)
	case newestFirst:
		return s.newestFirst(tx, after)
	default:
		return s.oldestFirst(tx, after)
	}
}

// oldestFirst walks the done index.
func (s section) oldestFirst(tx *bolt.Tx, after []byte) iter.Seq2[entry, error] {
	prefix := donePrefix(s.target, s.state)
	start := slices.Concat(prefix, after)
	return func(yield func(entry, error) bool) {
		for key := range keys(tx.Bucket(bucketDone), prefix, start) {
			isNew := len(after) == 0 || !bytes.Equal(key, start)
			if isNew && !yield(doneEntry(key), nil) {
				return
			}
		}
	}
}

// newestFirst walks the done index from the section's end.
func (s section) newestFirst(tx *bolt.Tx, after []byte) iter.Seq2[entry, error] {
	prefix := donePrefix(s.target, s.state)
	if len(after) == 0 {
		after = bytes.Repeat([]byte{0xff}, 16)
	}
	end := slices.Concat(prefix, after)
	return func(yield func(entry, error) bool) {
		cursor := tx.Bucket(bucketDone).Cursor()
		key, _ := cursor.Seek(end)
		if key == nil {
			key, _ = cursor.Last()
		} else {
			key, _ = cursor.Prev()
		}
		for bytes.HasPrefix(key, prefix) && yield(doneEntry(key), nil) {
			key, _ = cursor.Prev()
		}
	}
}

func doneEntry(key []byte) entry {
	return entry{seq: lastUint64(key), key: key[donePrefixSize:], isMember: true}
}

// pending walks the progress of all deliveries from the section's oldest on, for
// there is no index of those that are Behind.
func (s section) pending(tx *bolt.Tx, after []byte) iter.Seq2[entry, error] {
	start := after
	if len(after) == 0 {
		start = s.oldestPending(tx)
	}
	return func(yield func(entry, error) bool) {
		if start == nil {
			return
		}
		cursor := tx.Bucket(bucketProgress).Cursor()
		key, value := cursor.Seek(start)
		if len(after) > 0 && bytes.Equal(key, after) {
			key, value = cursor.Next()
		}
		for ; key != nil; key, value = cursor.Next() {
			p, err := decodeProgress(value)
			if err != nil {
				yield(entry{}, err)
				return
			}
			if !yield(entry{seq: lastUint64(key), key: key, isMember: p.target == s.target && p.isPending()}, nil) {
				return
			}
		}
	}
}

// oldestPending returns the progress key of the oldest pending delivery, which
// is the head of its lane, nil without one.
func (s section) oldestPending(tx *bolt.Tx) (oldest []byte) {
	for _, class := range classesByAge {
		prefix := readyKey(s.target, class)
		for key := range keys(tx.Bucket(bucketReady), prefix, nil) {
			if seqKey := key[len(prefix):]; oldest == nil || bytes.Compare(seqKey, oldest) < 0 {
				oldest = seqKey
			}
			break // they are ordered by age
		}
	}
	return oldest
}
