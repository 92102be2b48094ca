package outbox

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"time"
)

// forgottenStart begins the keys in meta of who was forgotten, by digests.
var forgottenStart = []byte("forgotten ")

// NoteForgotten keeps until a time that somebody was forgotten at another: what a
// replica that is away has on its disk of them may come later. The file has no name
// that can be read.
func (tx *Tx) NoteForgotten(name string, at, until time.Time) {
	tx.dropForgotten(at)
	tx.put(bucketMeta, tx.forgottenKey(name), appendUint64s(nil, uint64(nanos(at)), uint64(nanos(until))))
}

// Forgotten returns when somebody was forgotten; ok is false if they were not.
func (tx *Tx) Forgotten(name string) (at time.Time, ok bool) {
	at, _, ok = decodeForgotten(tx.get(bucketMeta, tx.forgottenKey(name)))
	return at, ok
}

// AreForgotten reports whether anybody was forgotten of late.
func (tx *Tx) AreForgotten() bool { return tx.view.first(bucketMeta, forgottenStart) != nil }

// dropForgotten drops the notes whose time is over.
func (tx *Tx) dropForgotten(now time.Time) {
	var old [][]byte
	for key, record := range tx.view.ascend(bucketMeta, forgottenStart, nil) {
		if _, until, ok := decodeForgotten(record); !ok || until.Before(now) {
			old = append(old, bytes.Clone(key))
		}
	}
	for _, key := range old {
		tx.delete(bucketMeta, key)
	}
}

func (tx *Tx) forgottenKey(name string) []byte {
	digest := sha256.Sum256([]byte(tx.salt + "\x00" + name))
	return append(bytes.Clone(forgottenStart), digest[:16]...)
}

func decodeForgotten(record []byte) (at, until time.Time, ok bool) {
	if len(record) != 16 {
		return time.Time{}, time.Time{}, false
	}
	return fromNanos(int64(binary.BigEndian.Uint64(record))), fromNanos(int64(binary.BigEndian.Uint64(record[8:]))), true
}
