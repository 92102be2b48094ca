package outbox

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"
)

// maxScan bounds how many records one call of List looks at.
const maxScan = 10_000

// Query says which deliveries to list.
type Query struct {
	Target string
	// State is Delivered or Dead, newest first; or Waiting or Behind, which both
	// list all that is pending, oldest first.
	State State
	// After is where the last list ended, empty for the first.
	After string
	// Limit is the largest number of deliveries to return.
	Limit int
}

// List returns deliveries without their bodies, and where to go on, empty when
// there are no more. It may return fewer than Limit before the end.
func (s *Store) List(q Query) (list []*Delivery, rest string, err error) {
	after, err := hex.DecodeString(q.After)
	if err != nil {
		return nil, "", fmt.Errorf("cannot go on after %q: give what the last list returned", q.After)
	}
	err = s.view(func(tx *bolt.Tx) error {
		number, err := numberOf(tx, q.Target)
		if err != nil || number == 0 {
			return err
		}
		l := lister{tx: tx, number: number, query: q}
		if q.State == Delivered || q.State == Dead {
			l.done(after)
		} else {
			l.pending(after)
		}
		list, rest = l.list, hex.EncodeToString(l.rest)
		return l.err
	})
	return list, rest, err
}

// Get returns the delivery with this id, whole, nil when there is none.
func (s *Store) Get(id string) (d *Delivery, err error) {
	err = s.view(func(tx *bolt.Tx) error {
		sum := hashOf(id)
		seq := tx.Bucket(bucketIDs).Get(sum[:])
		if len(seq) != 8 {
			return nil
		}
		if d, err = load(tx, lastUint64(seq), true); err != nil {
			return err
		}
		if record := tx.Bucket(bucketFailures).Get(seq); record != nil {
			d.Failure, err = decodeFailure(record)
		}
		return err
	})
	return d, err
}

type lister struct {
	tx     *bolt.Tx
	number uint32
	query  Query
	list   []*Delivery
	rest   []byte
	err    error
}

// done walks the index of what is finished backwards.
func (l *lister) done(after []byte) {
	prefix := doneKey(l.number, l.query.State, time.Time{}, 0)[:5]
	start := after
	if len(start) == 0 {
		start = append(bytes.Clone(prefix), bytes.Repeat([]byte{0xff}, 16)...)
	}
	cursor := l.tx.Bucket(bucketDone).Cursor()
	key, _ := cursor.Seek(start)
	if key == nil {
		key, _ = cursor.Last()
	}
	for ; key != nil && bytes.Compare(key, start) >= 0; key, _ = cursor.Prev() {
	}
	for ; bytes.HasPrefix(key, prefix) && l.room(key); key, _ = cursor.Prev() {
		l.add(lastUint64(key), key)
	}
}

// pending walks the progress of all deliveries from the oldest that waits on.
func (l *lister) pending(after []byte) {
	start := after
	if len(start) == 0 {
		start = l.oldest()
	}
	cursor := l.tx.Bucket(bucketProgress).Cursor()
	key, record := cursor.Seek(start)
	for n := 0; key != nil && start != nil; n++ {
		if n == maxScan {
			l.rest = previous(key)
		}
		if n == maxScan || l.err != nil {
			return
		}
		p, err := decodeProgress(record)
		if err != nil {
			l.err = err
			return
		}
		if p.target == l.number && p.pending() && !bytes.Equal(key, after) {
			if !l.room(key) {
				return
			}
			l.add(lastUint64(key), key)
		}
		key, record = cursor.Next()
	}
}

// oldest is the key of the oldest pending delivery, which is the head of its lane.
func (l *lister) oldest() []byte {
	var oldest []byte
	for _, class := range []byte{classFresh, classTried} {
		prefix := readyKey(l.number, class)
		key, _ := l.tx.Bucket(bucketReady).Cursor().Seek(prefix)
		if bytes.HasPrefix(key, prefix) && (oldest == nil || bytes.Compare(key[5:], oldest) < 0) {
			oldest = bytes.Clone(key[5:])
		}
	}
	return oldest
}

// room tells whether key can still be listed; rest is then where it ends.
func (l *lister) room(key []byte) bool {
	return l.err == nil && len(l.list) < l.query.Limit
}

func (l *lister) add(seq uint64, key []byte) {
	d, err := load(l.tx, seq, false)
	if err != nil {
		l.err = err
		return
	}
	l.list = append(l.list, d)
	if len(l.list) == l.query.Limit {
		l.rest = bytes.Clone(key)
	}
}

// previous is the key before that of a seq.
func previous(key []byte) []byte { return uint64Key(lastUint64(key) - 1) }
