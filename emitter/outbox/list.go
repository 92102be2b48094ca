package outbox

import (
	"bytes"
	"encoding/binary"

	bolt "go.etcd.io/bbolt"
)

// section is a target's deliveries in one state, which lie side by side.
type section struct {
	target uint32
	state  State
}

// sectionSize is the length of a section's prefix.
const sectionSize = 5

// prefix is that of the section's keys in the index of what is finished, and of
// all cursors.
func (s section) prefix() []byte {
	return append(binary.BigEndian.AppendUint32(make([]byte, 0, 21), s.target), byte(s.state))
}

// sections are those that a query looks into, in their order.
func (q Query) sections(tx *bolt.Tx) (all []section, err error) {
	states := q.States
	if len(states) == 0 {
		states = AllStates
	}
	err = tx.Bucket(bucketTargets).ForEach(func(name, record []byte) error {
		if q.Target != "" && q.Target != string(name) {
			return nil
		}
		t, err := decodeTarget(record)
		for _, state := range states {
			all = append(all, section{target: t.number, state: state})
		}
		return err
	})
	return all, err
}

// lister collects what a query means.
type lister struct {
	tx    *bolt.Tx
	query Query
	// room and scans are how much may still be found and looked at.
	room, scans int
	found       []*Delivery
	// rest is where it ends, nil at the end of all.
	rest []byte
	err  error
}

// list goes through a section, from after where it is given.
func (l *lister) list(s section, after []byte) {
	switch {
	case s.state == Waiting:
		l.pending(s, after)
	case l.query.NewestFirst:
		l.backwards(s, after)
	default:
		l.forwards(s, after)
	}
}

// forwards walks the index of what is finished.
func (l *lister) forwards(s section, after []byte) {
	prefix, cursor := s.prefix(), l.tx.Bucket(bucketDone).Cursor()
	key, _ := cursor.Seek(append(prefix, bytes.TrimPrefix(after, prefix)...))
	if bytes.Equal(key, after) {
		key, _ = cursor.Next()
	}
	for ; bytes.HasPrefix(key, prefix); key, _ = cursor.Next() {
		if !l.take(lastUint64(key), key) {
			return
		}
	}
}

// backwards walks it from its end.
func (l *lister) backwards(s section, after []byte) {
	prefix, cursor := s.prefix(), l.tx.Bucket(bucketDone).Cursor()
	end := after
	if len(end) == 0 {
		end = append(s.prefix(), bytes.Repeat([]byte{0xff}, 16)...)
	}
	key, _ := cursor.Seek(end)
	if key == nil {
		key, _ = cursor.Last()
	} else {
		key, _ = cursor.Prev()
	}
	for ; bytes.HasPrefix(key, prefix); key, _ = cursor.Prev() {
		if !l.take(lastUint64(key), key) {
			return
		}
	}
}

// pending walks the progress of all deliveries from the oldest that waits on.
func (l *lister) pending(s section, after []byte) {
	start := bytes.TrimPrefix(after, s.prefix())
	if len(after) == 0 {
		start = l.oldest(s.target)
	}
	if start == nil {
		return
	}
	cursor := l.tx.Bucket(bucketProgress).Cursor()
	key, record := cursor.Seek(start)
	if len(after) > 0 && bytes.Equal(key, start) {
		key, record = cursor.Next()
	}
	for ; key != nil; key, record = cursor.Next() {
		p, err := decodeProgress(record)
		if err != nil {
			l.err = err
			return
		}
		if isMeant := p.target == s.target && p.pending(); isMeant && !l.take(lastUint64(key), append(s.prefix(), key...)) ||
			!isMeant && !l.scan(append(s.prefix(), key...)) {
			return
		}
	}
}

// oldest is the key of the oldest pending delivery, which is the head of its lane.
func (l *lister) oldest(target uint32) (oldest []byte) {
	for _, class := range []byte{classFresh, classTried} {
		prefix := readyKey(target, class)
		key, _ := l.tx.Bucket(bucketReady).Cursor().Seek(prefix)
		if bytes.HasPrefix(key, prefix) && (oldest == nil || bytes.Compare(key[5:], oldest) < 0) {
			oldest = bytes.Clone(key[5:])
		}
	}
	return oldest
}

// take looks at a delivery, and tells whether to go on.
func (l *lister) take(seq uint64, key []byte) (more bool) {
	d, err := load(l.tx, seq, false)
	if err != nil {
		l.err = err
		return false
	}
	if l.query.wants(d) {
		l.found = append(l.found, d)
		l.room--
	}
	return l.scan(key)
}

// scan counts a record that was looked at, and tells whether to go on.
func (l *lister) scan(key []byte) (more bool) {
	l.scans--
	if l.room > 0 && l.scans > 0 {
		return true
	}
	l.rest = bytes.Clone(key)
	return false
}

// Get returns the delivery with this id, whole, nil when there is none. It is the
// one that the event was made for, not one that was redelivered to another target.
func (s *Store) Get(id string) (d *Delivery, err error) {
	err = s.view(func(tx *bolt.Tx) error {
		sum := hashOf(id)
		if seq := tx.Bucket(bucketIDs).Get(sum[:]); len(seq) == 8 {
			d, err = loadWhole(tx, lastUint64(seq))
			return err
		}
		return nil
	})
	return d, err
}

// Load returns the delivery with this seq, whole, nil when there is none.
func (s *Store) Load(seq uint64) (d *Delivery, err error) {
	err = s.view(func(tx *bolt.Tx) error {
		if tx.Bucket(bucketDeliveries).Get(uint64Key(seq)) != nil {
			d, err = loadWhole(tx, seq)
		}
		return err
	})
	return d, err
}

func loadWhole(tx *bolt.Tx, seq uint64) (*Delivery, error) {
	d, err := load(tx, seq, true)
	if err != nil {
		return nil, err
	}
	if record := tx.Bucket(bucketFailures).Get(uint64Key(seq)); record != nil {
		d.Failure, err = decodeFailure(record)
	}
	return d, err
}
