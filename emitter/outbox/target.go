package outbox

import "time"

// Cause is why a target is disabled.
type Cause string

// The causes, as operators see them.
const (
	// CauseUnsubscribed: the target said that it wants nothing more.
	CauseUnsubscribed Cause = "the target said so"
	// CauseFailing: it did nothing but fail for too long.
	CauseFailing Cause = "it only failed"
	// CauseOperator: an operator did it.
	CauseOperator Cause = "by hand"
)

// Target is what the store knows of a target.
type Target struct {
	// Pending, Dead and Delivered count its deliveries that are kept.
	Pending, Dead, Delivered uint64
	// Disabled is when the target was disabled and Cause is why, both zero while it is not.
	Disabled time.Time
	Cause    Cause
	// DisabledMark is what Disable was given.
	DisabledMark string
	// FailingSince is when the first of its failures was that no success came
	// after, zero without one.
	FailingSince time.Time
	// HeldUntil is when the target wants to be asked again, zero when it didn't say.
	HeldUntil time.Time
	// PendingBytes is about what its pending deliveries take in the file.
	PendingBytes uint64
}

// target is the record of a target. Its number stands for its name in the keys.
type target struct {
	Target
	number uint32
	dirty  bool
}

// Disable notes that the target is to get nothing more; its queue is kept. mark
// says what the target was (a fingerprint of its URL), for whoever enables it.
func (tx *Tx) Disable(name string, cause Cause, mark string, at time.Time) {
	t := tx.target(name)
	t.Disabled, t.Cause, t.DisabledMark, t.dirty = at, cause, mark, true
	tx.woken[name] = struct{}{}
}

// Enable undoes Disable, and lets the target fail anew.
func (tx *Tx) Enable(name string) {
	t := tx.target(name)
	t.Disabled, t.Cause, t.DisabledMark, t.FailingSince, t.dirty = time.Time{}, "", "", time.Time{}, true
	tx.woken[name] = struct{}{}
}

// SetFailingSince notes since when the target does nothing but fail, zero for not at all.
func (tx *Tx) SetFailingSince(name string, since time.Time) {
	t := tx.target(name)
	t.FailingSince, t.dirty = since, true
}

// Hold notes that the target wants to be left alone until then.
func (tx *Tx) Hold(name string, until time.Time) {
	t := tx.target(name)
	t.HeldUntil, t.dirty = until, true
}

// target returns the record of a target, which it makes when there is none.
func (tx *Tx) target(name string) *target {
	if t, ok := tx.targets[name]; ok {
		return t
	}
	if name == "" {
		tx.fail(errNoTarget)
		return &target{}
	}
	t, err := decodeTarget(tx.get(bucketTargets, []byte(name)))
	if err != nil {
		tx.fail(err)
	}
	if t.number == 0 {
		number, err := tx.bucket(bucketTargets).NextSequence()
		if err != nil {
			tx.fail(err)
		}
		t.number, t.dirty = uint32(number), true
	}
	tx.targets[name] = t
	return t
}

// flush writes the changed target records back.
func (tx *Tx) flush() {
	for name, t := range tx.targets {
		if t.dirty {
			tx.put(bucketTargets, []byte(name), t.encode())
		}
	}
}

func (t *target) encode() []byte {
	var e encoder
	for _, n := range []uint64{uint64(t.number), t.Pending, t.Dead, t.Delivered} {
		e.uint(n)
	}
	e.time(t.Disabled)
	e.text(t.DisabledMark)
	e.time(t.HeldUntil)
	e.text(string(t.Cause))
	e.time(t.FailingSince)
	e.uint(t.PendingBytes)
	return e
}

// decodeTarget gives an empty record for one that is not there.
func decodeTarget(record []byte) (*target, error) {
	if record == nil {
		return &target{}, nil
	}
	in := decoder{rest: record}
	t := &target{number: uint32(in.uint())}
	t.Pending, t.Dead, t.Delivered = in.uint(), in.uint(), in.uint()
	t.Disabled = in.time()
	t.DisabledMark = in.text()
	t.HeldUntil = in.time()
	if len(in.rest) > 0 { // records of before had no more
		t.Cause = Cause(in.text())
		t.FailingSince = in.time()
	} else if !t.Disabled.IsZero() {
		t.Cause = CauseUnsubscribed
	}
	if len(in.rest) > 0 {
		t.PendingBytes = in.uint()
	}
	return t, in.err
}

// weigh adds to what pending deliveries take; records of before were not weighed.
func (t *target) weigh(by int) {
	t.dirty = true
	if by < 0 && uint64(-by) > t.PendingBytes {
		t.PendingBytes = 0
		return
	}
	t.PendingBytes += uint64(by)
}
