package outbox

import (
	"bytes"
	"encoding/binary"
	"time"
)

// seenFor is for how long the place of an incarnation is kept after its last change.
const seenFor = 24 * time.Hour

// The keys in meta of what was folded of what the replicas have seen: the number of
// the last message, and of each incarnation the last one of what it saw; and of which
// replicas the leader hears.
var (
	keyHeard      = []byte("heard")
	keySeen       = []byte("seen")
	seenFromStart = []byte("from ")
)

// Seen returns the number that SetSeen was given last, 0 before.
func (tx *Tx) Seen() uint64 {
	if record := tx.get(bucketMeta, keySeen); len(record) == 8 {
		return binary.BigEndian.Uint64(record)
	}
	return 0
}

// SetSeen keeps the number up to which the messages that replicas have seen are folded.
func (tx *Tx) SetSeen(number uint64) { tx.put(bucketMeta, keySeen, uint64Key(number)) }

// Heard returns what SetHeard was given last, nil before.
func (tx *Tx) Heard() []byte { return bytes.Clone(tx.get(bucketMeta, keyHeard)) }

// SetHeard keeps which replicas the leader hears.
func (tx *Tx) SetHeard(replicas []byte) { tx.put(bucketMeta, keyHeard, replicas) }

// SeenFrom returns what SetSeenFrom was given last for an incarnation of a replica, 0
// before, or some time after a day without change.
func (tx *Tx) SeenFrom(incarnation string) (k uint64) {
	k, _ = decodeSeenFrom(tx.get(bucketMeta, seenFromKey(incarnation)))
	return k
}

// SetSeenFrom keeps up to which one the observations of an incarnation are folded.
func (tx *Tx) SetSeenFrom(incarnation string, k uint64) {
	key := seenFromKey(incarnation)
	if isNew := !tx.has(bucketMeta, key); isNew { // which is rare, and the time to forget others
		tx.forgetSeenFrom()
	}
	tx.put(bucketMeta, key, appendUint64s(nil, k, uint64(nanos(tx.now))))
}

// forgetSeenFrom deletes the records of incarnations that have not changed for a day.
func (tx *Tx) forgetSeenFrom() {
	var old [][]byte
	for key, record := range tx.view.ascend(bucketMeta, seenFromStart, nil) {
		if _, changed := decodeSeenFrom(record); tx.now.Sub(changed) > seenFor {
			old = append(old, bytes.Clone(key))
		}
	}
	for _, key := range old {
		tx.delete(bucketMeta, key)
	}
}

func seenFromKey(incarnation string) []byte {
	return append(bytes.Clone(seenFromStart), incarnation...)
}

func decodeSeenFrom(record []byte) (k uint64, changed time.Time) {
	if len(record) != 16 {
		return 0, time.Time{}
	}
	return binary.BigEndian.Uint64(record), fromNanos(int64(binary.BigEndian.Uint64(record[8:])))
}
