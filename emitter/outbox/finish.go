package outbox

import (
	"math"
	"time"
)

// MaxRetryAfter is the longest that a target can put a retry off, or a pace a redelivery.
const MaxRetryAfter = 24 * time.Hour

// Retry is when a failed delivery is tried again.
type Retry struct {
	Due time.Time
	// FromRetryAfter marks a due time that the target asked for; Hasten leaves it alone.
	FromRetryAfter bool
	// Rejected marks an attempt that the target refused for good.
	Rejected bool
}

// Delivered notes the attempt that delivered, and lets the follower go.
func (tx *Tx) Delivered(seq uint64, a Attempt) { tx.finish(seq, Delivered, a) }

// Dead notes the last attempt, and lets the follower go.
func (tx *Tx) Dead(seq uint64, a Attempt) {
	tx.finish(seq, Dead, a)
	tx.noteFailure(seq, a)
}

// Retry notes a failed attempt after which another one is due.
func (tx *Tx) Retry(seq uint64, a Attempt, r Retry) {
	p := tx.waiting(seq)
	if p == nil {
		return
	}
	tx.clearReady(seq, p)
	p.Attempts++
	if r.Rejected {
		p.Rejections++
	}
	p.Due, p.told, p.Status = r.Due, r.FromRetryAfter, a.Status
	tx.setReady(seq, p)
	tx.putProgress(seq, p)
	tx.noteFailure(seq, a)
}

// ProbeFailed notes a failed attempt that costs the delivery nothing: a probe.
func (tx *Tx) ProbeFailed(seq uint64, a Attempt) {
	if p := tx.waiting(seq); p != nil {
		p.Status = a.Status
		tx.putProgress(seq, p)
		tx.noteFailure(seq, a)
	}
}

// Hasten makes up to limit of a target's retries due now, whatever their due
// time was, except for those that the target asked for and the pace of
// redeliveries, which are no further off than MaxRetryAfter unless another clock
// said so. It goes on from after, which is nil at first, and returns where to go
// on, nil when all are done.
func (tx *Tx) Hasten(name string, after []byte, limit int) (rest []byte) {
	number := tx.target(name).number
	if after == nil {
		after = retryKey(number, tx.now, math.MaxUint64)
	}
	keys := tx.retriesAfter(number, after, limit)
	for _, key := range keys {
		seq := lastUint64(key)
		p := tx.progress(seq)
		if p == nil || (p.told || p.isPaced()) && !p.Due.After(tx.now.Add(MaxRetryAfter)) {
			continue
		}
		tx.clearReady(seq, p)
		p.Due = tx.now
		tx.setReady(seq, p)
		tx.putProgress(seq, p)
	}
	tx.woken[name] = struct{}{}
	if len(keys) < limit {
		return nil
	}
	return keys[len(keys)-1]
}

// finish takes a delivery out of the queue, for good.
func (tx *Tx) finish(seq uint64, state State, a Attempt) {
	p := tx.waiting(seq)
	if p == nil {
		return
	}
	d, size := tx.record(seq)
	tx.clearReady(seq, p)
	if tx.promote(p) {
		tx.woken[d.Target] = struct{}{}
	}
	p.Progress = Progress{
		State: state, Attempts: p.Attempts + 1, Rejections: p.Rejections, Finished: a.At, Status: a.Status, Redelivered: p.Redelivered,
	}
	p.next = 0
	tx.putProgress(seq, p)
	tx.put(bucketDone, doneKey(p.target, state, p.Finished, seq), nil)
	t := tx.target(d.Target)
	t.count(Waiting, -1)
	t.count(state, 1)
	t.weigh(-size)
}

// promote makes the follower of a lane its head, and forgets a lane that has
// none. Followers that were discarded are skipped and gone for good.
func (tx *Tx) promote(p *progress) (promoted bool) {
	if !p.inLane() {
		return false
	}
	for next := p.next; next != 0; {
		follower := tx.progress(next)
		switch {
		case follower == nil:
			return false
		case follower.gone:
			tx.delete(bucketProgress, uint64Key(next))
			next = follower.next
		default:
			follower.State = Waiting
			tx.putProgress(next, follower)
			tx.setReady(next, follower)
			return true
		}
	}
	tx.delete(bucketLanes, laneKey(p.target, p.lane))
	return false
}

// waiting returns the progress of a delivery that may be sent, nil for any other.
func (tx *Tx) waiting(seq uint64) *progress {
	if p := tx.progress(seq); p != nil && p.State == Waiting {
		return p
	}
	return nil
}

// noteFailure keeps the last failed attempt, and when the first one was.
func (tx *Tx) noteFailure(seq uint64, a Attempt) {
	f := &Failure{First: a.At, Attempt: a}
	if record := tx.get(bucketFailures, uint64Key(seq)); record != nil {
		if old, err := decodeFailure(record); err == nil {
			f.First = old.First
		}
	}
	tx.put(bucketFailures, uint64Key(seq), f.encode())
}
