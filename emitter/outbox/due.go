package outbox

import "time"

// maxDueBytes bounds how many bytes of bodies one call of Due copies.
const maxDueBytes = 1 << 20

// Due returns up to limit deliveries of a target that may be sent at now, in the
// order in which to send them: those that were never tried by age, then retries
// by due time. It leaves out those for which skip is true. next is when the first
// of the other retries is due, zero without one. The result is the caller's.
func (s *Store) Due(name string, now time.Time, limit int, skip func(seq uint64) bool) (due []*Delivery, next time.Time, err error) {
	err = s.view(func(v *view) error {
		t, err := readTarget(v, name)
		if isUnknown := t.number == 0; err != nil || isUnknown {
			return err
		}
		r := readyReader{view: v, limit: limit, skip: skip}
		r.collect(readyKey(t.number, classFresh), time.Time{})
		r.collect(readyKey(t.number, classRetry), now)
		due, next = r.found, r.next
		return nil
	})
	return due, next, err
}

// Oldest returns a target's oldest delivery at the head of a lane, due or not,
// for which skip is false; nil if there is none.
func (s *Store) Oldest(name string, skip func(seq uint64) bool) (oldest *Delivery, err error) {
	err = s.view(func(v *view) error {
		t, err := readTarget(v, name)
		if isUnknown := t.number == 0; err != nil || isUnknown {
			return err
		}
		for _, class := range classesByAge {
			d := first(v, readyKey(t.number, class), skip)
			if d != nil && (oldest == nil || d.Seq < oldest.Seq) {
				oldest = d
			}
		}
		return nil
	})
	return oldest, err
}

// OldestRetry returns a target's oldest retry, due or not, that the target did not
// put off and for which skip is false; nil if there is none.
func (s *Store) OldestRetry(name string, skip func(seq uint64) bool) (oldest *Delivery, err error) {
	err = s.view(func(v *view) error {
		t, err := readTarget(v, name)
		if isUnknown := t.number == 0; err != nil || isUnknown {
			return err
		}
		oldest = first(v, readyKey(t.number, classTried), skip)
		return nil
	})
	return oldest, err
}

// first returns the first delivery under a prefix of the ready index for which skip
// is false, nil if there is none.
func first(v *view, prefix []byte, skip func(seq uint64) bool) *Delivery {
	r := readyReader{view: v, limit: 1, skip: skip}
	r.collect(prefix, time.Time{})
	if len(r.found) == 0 {
		return nil
	}
	return r.found[0]
}

// readyReader collects deliveries of the ready index.
type readyReader struct {
	view  *view
	limit int
	skip  func(seq uint64) bool
	found []*Delivery
	size  int
	next  time.Time
}

// collect reads the deliveries under a prefix. Unless now is zero, it stops at
// the first one that is due later and sets next.
func (r *readyReader) collect(prefix []byte, now time.Time) {
	for key := range r.view.ascend(bucketReady, prefix, nil) {
		if r.isFull() {
			return
		}
		seq := lastUint64(key)
		if r.skip != nil && r.skip(seq) {
			continue
		}
		if !now.IsZero() && dueOf(key).After(now) {
			r.next = dueOf(key)
			return
		}
		if d, err := load(r.view, seq, true); err == nil && d.State == Waiting {
			r.found = append(r.found, d)
			r.size += len(d.Body)
		} else {
			r.view.dangles(bucketReady, key)
		}
	}
}

func (r *readyReader) isFull() bool { return len(r.found) >= r.limit || r.size >= maxDueBytes }
