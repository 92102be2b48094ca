package outbox

import (
	"bytes"
	"encoding/binary"
	"time"
)

// The classes of the ready index. It holds the head of each lane, and nothing
// else: a delivery that was not tried under fresh, a retry under both others.
//
//	target, fresh, seq      → nothing      in the order of age
//	target, retry, due, seq → nothing      in the order of the due time
//	target, tried, seq      → nothing      in the order of age
const (
	classFresh byte = iota
	classRetry
	classTried
)

func freshKey(target uint32, seq uint64) []byte { return readyKey(target, classFresh, seq) }
func triedKey(target uint32, seq uint64) []byte { return readyKey(target, classTried, seq) }

func retryKey(target uint32, due time.Time, seq uint64) []byte {
	return readyKey(target, classRetry, uint64(nanos(due)), seq)
}

func readyKey(target uint32, class byte, numbers ...uint64) []byte {
	key := append(binary.BigEndian.AppendUint32(make([]byte, 0, 21), target), class)
	for _, n := range numbers {
		key = binary.BigEndian.AppendUint64(key, n)
	}
	return key
}

// dueOf is the due time in a retry's key.
func dueOf(key []byte) time.Time { return fromNanos(int64(binary.BigEndian.Uint64(key[5:]))) }

// setReady puts a head into the index, by what its progress says.
func (tx *Tx) setReady(seq uint64, p *progress) {
	if p.Due.IsZero() {
		tx.put(bucketReady, freshKey(p.target, seq), nil)
		return
	}
	tx.put(bucketReady, retryKey(p.target, p.Due, seq), nil)
	tx.put(bucketReady, triedKey(p.target, seq), nil)
}

// clearReady takes a head out of the index. p must be what setReady was given.
func (tx *Tx) clearReady(seq uint64, p *progress) {
	if p.Due.IsZero() {
		tx.delete(bucketReady, freshKey(p.target, seq))
		return
	}
	tx.delete(bucketReady, retryKey(p.target, p.Due, seq))
	tx.delete(bucketReady, triedKey(p.target, seq))
}

// retriesAfter copies up to limit keys of a target's retries that come after the key after.
func (tx *Tx) retriesAfter(target uint32, after []byte, limit int) (keys [][]byte) {
	prefix := readyKey(target, classRetry)
	cursor := tx.bucket(bucketReady).Cursor()
	for key, _ := cursor.Seek(after); bytes.HasPrefix(key, prefix) && len(keys) < limit; key, _ = cursor.Next() {
		if !bytes.Equal(key, after) {
			keys = append(keys, bytes.Clone(key))
		}
	}
	return keys
}
