package outbox

import (
	"bytes"
	"math"
	"time"
)

// MaxRetryAfter is the longest time that a target can put off a retry, or that
// the pace of a redelivery can.
const MaxRetryAfter = 24 * time.Hour

// Retry is when a failed delivery is tried again.
type Retry struct {
	Due time.Time
	// FromRetryAfter reports that the target asked for this time; Hasten respects it.
	FromRetryAfter bool
	// Rejected reports that the target refused the delivery for what its body is.
	Rejected bool
}

// Retry notes a failed attempt of a delivery that is to be tried again.
func (tx *Tx) Retry(seq uint64, a Attempt, r Retry) {
	p := tx.waitingProgress(seq)
	if p == nil {
		return
	}
	tx.clearReady(seq, p)
	p.Attempts++
	if r.Rejected {
		p.Rejections++
	}
	p.Due, p.fromRetryAfter, p.Status = r.Due, r.FromRetryAfter, a.Status
	tx.setReady(seq, p)
	tx.putProgress(seq, p)
	tx.putFailure(seq, p, a)
}

// ProbeFailed notes the failed attempt of a probe that does not count as one of
// the delivery's attempts.
func (tx *Tx) ProbeFailed(seq uint64, a Attempt) {
	if p := tx.waitingProgress(seq); p != nil {
		p.Status = a.Status
		tx.putProgress(seq, p)
		tx.putFailure(seq, p, a)
	}
}

// RetryNow makes a delivery that waits for its next attempt due now. It returns
// false if there is no such delivery, or if it waits for nothing.
func (tx *Tx) RetryNow(seq uint64) bool {
	p := tx.waitingProgress(seq)
	if p == nil || !p.Due.After(tx.now) {
		return false
	}
	d, ok := tx.delivery(seq)
	if !ok {
		return false
	}
	tx.clearReady(seq, p)
	p.Due, p.fromRetryAfter = tx.now, false
	tx.setReady(seq, p)
	tx.putProgress(seq, p)
	tx.woken[d.Target] = struct{}{}
	return true
}

// Hasten makes up to limit of a target's retries due now, except for those that
// the target put off with Retry-After and paced redeliveries. Those are due
// within MaxRetryAfter; a later time comes from a clock that was ahead and is
// ignored. after is nil at first, then the rest that the last call returned; a
// nil rest means that all are done.
func (tx *Tx) Hasten(name string, after []byte, limit int) (rest []byte) {
	number := tx.target(name).number
	if after == nil {
		after = retryKey(number, tx.now, math.MaxUint64)
	}
	retries := tx.retriesAfter(number, after, limit)
	for _, key := range retries {
		seq := lastUint64(key)
		p := tx.progress(seq)
		if p == nil {
			continue
		}
		isPutOff := (p.fromRetryAfter || p.isPaced()) && !p.Due.After(tx.now.Add(MaxRetryAfter))
		if isPutOff {
			continue
		}
		tx.clearReady(seq, p)
		p.Due = tx.now
		tx.setReady(seq, p)
		tx.putProgress(seq, p)
	}
	tx.woken[name] = struct{}{}
	if len(retries) < limit {
		return nil
	}
	return retries[len(retries)-1]
}

// retriesAfter copies up to limit keys of a target's retries that come after the given one.
func (tx *Tx) retriesAfter(target uint32, after []byte, limit int) (found [][]byte) {
	for key := range tx.view.ascend(bucketReady, readyKey(target, classRetry), after) {
		if len(found) >= limit {
			break
		}
		if !bytes.Equal(key, after) {
			found = append(found, bytes.Clone(key))
		}
	}
	return found
}
