package outbox

import (
	"bytes"
	"encoding/binary"
	"time"
)

// The done index has the finished deliveries of each target and state in the
// order in which they finished:
//
//	target, state, finished, seq

// donePrefixSize is the length of the target and state in a key of the done index.
const donePrefixSize = 5

func donePrefix(target uint32, state State) []byte {
	return append(binary.BigEndian.AppendUint32(make([]byte, 0, donePrefixSize+16), target), byte(state))
}

func doneKey(target uint32, state State, finished time.Time, seq uint64) []byte {
	key := binary.BigEndian.AppendUint64(donePrefix(target, state), uint64(nanos(finished)))
	return binary.BigEndian.AppendUint64(key, seq)
}

// doneBefore copies up to limit keys of a target's deliveries that finished before cutoff.
func (tx *Tx) doneBefore(target uint32, state State, cutoff time.Time, limit int) (found [][]byte) {
	if cutoff.IsZero() {
		return nil
	}
	end := doneKey(target, state, cutoff, 0)
	for key := range tx.view.ascend(bucketDone, donePrefix(target, state), nil) {
		if len(found) >= limit || bytes.Compare(key, end) >= 0 {
			break
		}
		found = append(found, bytes.Clone(key))
	}
	return found
}

// dropFinished deletes all records of a finished delivery and returns about how
// much of the file they took.
func (tx *Tx) dropFinished(doneKey []byte, state State) (bytes int64) {
	seq := lastUint64(doneKey)
	tx.delete(bucketDone, doneKey)
	d, ok := tx.delivery(seq)
	if !ok {
		return 0
	}
	bytes = tx.deliveryBytes(seq)
	tx.tally(tx.target(d.Target), state, -1, -bytes)
	tx.deleteDelivery(seq, d)
	tx.delete(bucketProgress, uint64Key(seq))
	return bytes
}
