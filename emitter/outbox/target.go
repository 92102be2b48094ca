package outbox

import "time"

// Target is what the store knows of a target.
type Target struct {
	// Pending, Dead and Delivered count its deliveries that are kept.
	Pending, Dead, Delivered uint64
	// Disabled is when the target said that it wants nothing more, zero when it didn't.
	Disabled time.Time
	// DisabledMark is what Disable was given.
	DisabledMark string
	// HeldUntil is when the target wants to be asked again, zero when it didn't say.
	HeldUntil time.Time
}

// target is the record of a target. Its number stands for its name in the keys.
type target struct {
	Target
	number uint32
	dirty  bool
}

// Disable notes that the target wants nothing more; its queue is kept. mark
// says what the target was (a fingerprint of its URL), for whoever enables it.
func (tx *Tx) Disable(name, mark string, at time.Time) {
	t := tx.target(name)
	t.Disabled, t.DisabledMark, t.dirty = at, mark, true
}

// Enable undoes Disable.
func (tx *Tx) Enable(name string) {
	t := tx.target(name)
	t.Disabled, t.DisabledMark, t.dirty = time.Time{}, "", true
	tx.woken[name] = struct{}{}
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
	return t, in.err
}
