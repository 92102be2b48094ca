package outbox

import (
	"bytes"
	"time"

	bolt "go.etcd.io/bbolt"
)

// maxDueBytes bounds the bodies that one call of Due copies out.
const maxDueBytes = 1 << 20

// Due returns up to limit deliveries of a target that may be sent at now, in
// the order in which they should be: those that were never tried by age, then
// retries by due time. It holds the heads of lanes only, and none that skip
// names. next is when the first of the other retries is due, zero without one.
// What it returns is the caller's.
func (s *Store) Due(name string, now time.Time, limit int, skip func(seq uint64) bool) (due []*Delivery, next time.Time, err error) {
	err = s.view(func(tx *bolt.Tx) error {
		number, err := numberOf(tx, name)
		if err != nil || number == 0 {
			return err
		}
		r := reader{tx: tx, limit: limit, skip: skip}
		r.collect(readyKey(number, classFresh), nil)
		r.collect(readyKey(number, classRetry), &now)
		due, next = r.found, r.next
		return r.err
	})
	return due, next, err
}

// Oldest returns a target's oldest delivery that waits at the head of its lane,
// due or not, nil when there is none that skip does not name.
func (s *Store) Oldest(name string, skip func(seq uint64) bool) (oldest *Delivery, err error) {
	err = s.view(func(tx *bolt.Tx) error {
		number, err := numberOf(tx, name)
		if err != nil || number == 0 {
			return err
		}
		for _, class := range []byte{classFresh, classTried} {
			r := reader{tx: tx, limit: 1, skip: skip}
			r.collect(readyKey(number, class), nil)
			if r.err != nil {
				return r.err
			}
			if len(r.found) > 0 && (oldest == nil || r.found[0].Seq < oldest.Seq) {
				oldest = r.found[0]
			}
		}
		return nil
	})
	return oldest, err
}

// Target returns what is known of a target; one that was never used has no deliveries.
func (s *Store) Target(name string) (Target, error) {
	var known Target
	err := s.view(func(tx *bolt.Tx) error {
		t, err := decodeTarget(tx.Bucket(bucketTargets).Get([]byte(name)))
		known = t.Target
		return err
	})
	return known, err
}

// Targets returns all targets that ever had a delivery, by name.
func (s *Store) Targets() (map[string]Target, error) {
	all := map[string]Target{}
	err := s.view(func(tx *bolt.Tx) error {
		return tx.Bucket(bucketTargets).ForEach(func(name, record []byte) error {
			t, err := decodeTarget(record)
			all[string(name)] = t.Target
			return err
		})
	})
	return all, err
}

func numberOf(tx *bolt.Tx, name string) (uint32, error) {
	t, err := decodeTarget(tx.Bucket(bucketTargets).Get([]byte(name)))
	return t.number, err
}

// reader collects deliveries of the ready index.
type reader struct {
	tx    *bolt.Tx
	limit int
	skip  func(seq uint64) bool
	found []*Delivery
	size  int
	next  time.Time
	err   error
}

// collect takes the deliveries under a prefix, up to the first that is due after
// until, where until is given.
func (r *reader) collect(prefix []byte, until *time.Time) {
	cursor := r.tx.Bucket(bucketReady).Cursor()
	for key, _ := cursor.Seek(prefix); bytes.HasPrefix(key, prefix) && !r.full(); key, _ = cursor.Next() {
		seq := lastUint64(key)
		if r.skip != nil && r.skip(seq) {
			continue
		}
		if until != nil && dueOf(key).After(*until) {
			r.next = dueOf(key)
			return
		}
		r.take(seq)
	}
}

func (r *reader) full() bool {
	return r.err != nil || len(r.found) >= r.limit || r.size >= maxDueBytes
}

func (r *reader) take(seq uint64) {
	d, err := load(r.tx, seq, true)
	if err != nil {
		r.err = err
		return
	}
	r.found = append(r.found, d)
	r.size += len(d.Body)
}

// load reads a delivery and its progress.
func load(tx *bolt.Tx, seq uint64, withBody bool) (*Delivery, error) {
	key := uint64Key(seq)
	d, err := decodeDelivery(seq, tx.Bucket(bucketDeliveries).Get(key), withBody)
	if err != nil {
		return nil, err
	}
	p, err := decodeProgress(tx.Bucket(bucketProgress).Get(key))
	if err != nil {
		return nil, err
	}
	d.Progress, d.FromRetryAfter = p.Progress, p.told
	return d, nil
}
