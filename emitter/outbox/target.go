package outbox

import "time"

// Cause is why a target is disabled. The values are part of the file's format
// and of the admin API.
type Cause string

const (
	// CauseUnsubscribed means that the target asked for nothing more, with 410 Gone or a header.
	CauseUnsubscribed Cause = "the target said so"
	// CauseFailing means that all attempts failed for too long.
	CauseFailing Cause = "it only failed"
	// CauseOperator means that an operator disabled it.
	CauseOperator Cause = "by hand"
)

// Target is what the store knows about a target.
type Target struct {
	// Pending, Dead and Delivered are the numbers of its deliveries that are kept.
	Pending, Dead, Delivered uint64
	// Disabled is when the target was disabled and Cause why; both are zero while it is enabled.
	Disabled time.Time
	Cause    Cause
	// DisabledMark is the mark given to Disable.
	DisabledMark string
	// FailingSince is the time of the first failure since the last success, zero without one.
	FailingSince time.Time
	// HeldUntil is when the target wants the next attempt, zero if it did not ask for a pause.
	HeldUntil time.Time
	// PendingBytes is about how much of the file its pending deliveries take.
	PendingBytes uint64
}

// Target returns the record of a target, a zero one if it was never used.
func (s *Store) Target(name string) (Target, error) {
	var found Target
	err := s.view(func(v *view) error {
		t, err := readTarget(v, name)
		found = t.Target
		return err
	})
	return found, err
}

// Targets returns all targets that ever had a delivery, by name.
func (s *Store) Targets() (map[string]Target, error) {
	all := map[string]Target{}
	err := s.view(func(v *view) error {
		for name, record := range v.ascend(bucketTargets, nil, nil) {
			t, err := decodeTarget(record)
			if err != nil {
				return err
			}
			all[string(name)] = t.Target
		}
		return nil
	})
	return all, err
}

// Disable notes that the target gets nothing more; its deliveries are kept. mark
// identifies the target as it was (a fingerprint of its URL) for a later decision
// to enable it.
func (tx *Tx) Disable(name string, cause Cause, mark string, at time.Time) {
	t := tx.target(name)
	t.Disabled, t.Cause, t.DisabledMark, t.dirty = at, cause, mark, true
	tx.woken[name] = struct{}{}
}

// Enable undoes Disable and resets FailingSince.
func (tx *Tx) Enable(name string) {
	t := tx.target(name)
	t.Disabled, t.Cause, t.DisabledMark, t.FailingSince, t.dirty = time.Time{}, "", "", time.Time{}, true
	tx.woken[name] = struct{}{}
}

// SetFailingSince notes the first failure since the last success, zero for none.
func (tx *Tx) SetFailingSince(name string, since time.Time) {
	t := tx.target(name)
	t.FailingSince, t.dirty = since, true
}

// Hold notes that the target wants no attempts until then.
func (tx *Tx) Hold(name string, until time.Time) {
	t := tx.target(name)
	t.HeldUntil, t.dirty = until, true
}

// targetRecord is the record of a target. Its number stands for its name in keys.
type targetRecord struct {
	Target
	number uint32
	dirty  bool
}

// target returns the record of a target, which is created if there is none.
func (tx *Tx) target(name string) *targetRecord {
	if t, ok := tx.targets[name]; ok {
		return t
	}
	if name == "" {
		tx.fail(errNoTarget)
		return &targetRecord{}
	}
	t, err := readTarget(tx.view, name)
	if err != nil {
		tx.fail(err)
	}
	if t.number == 0 {
		t.number, t.dirty = uint32(tx.nextSequence(bucketTargets)), true
	}
	tx.targets[name] = t
	return t
}

// putTargets writes the changed target records.
func (tx *Tx) putTargets() {
	for name, t := range tx.targets {
		if t.dirty {
			tx.put(bucketTargets, []byte(name), t.encode())
		}
	}
}

// targetNames returns the names of all targets in the file.
func (tx *Tx) targetNames() (names []string) {
	for name := range tx.view.ascend(bucketTargets, nil, nil) {
		names = append(names, string(name))
	}
	return names
}

func (tx *Tx) targetNumbers() (numbers []uint32) {
	for _, name := range tx.targetNames() {
		numbers = append(numbers, tx.target(name).number)
	}
	return numbers
}

// count changes the number of deliveries in a state.
func (t *targetRecord) count(state State, by int) {
	t.dirty = true
	switch state {
	case Dead:
		t.Dead += uint64(by)
	case Delivered:
		t.Delivered += uint64(by)
	case Behind, Waiting:
		t.Pending += uint64(by)
	}
}

// addPendingBytes changes PendingBytes. Deliveries of early releases were not
// counted, so that it may be less than what is subtracted.
func (t *targetRecord) addPendingBytes(by int) {
	t.dirty = true
	if by < 0 && uint64(-by) > t.PendingBytes {
		t.PendingBytes = 0
		return
	}
	t.PendingBytes += uint64(by)
}

func (t *targetRecord) encode() []byte {
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

func readTarget(v *view, name string) (*targetRecord, error) {
	return decodeTarget(v.get(bucketTargets, []byte(name)))
}

// decodeTarget returns a zero record if there is none.
func decodeTarget(record []byte) (*targetRecord, error) {
	if record == nil {
		return &targetRecord{}, nil
	}
	in := decoder{rest: record}
	t := &targetRecord{number: uint32(in.uint())}
	t.Pending, t.Dead, t.Delivered = in.uint(), in.uint(), in.uint()
	t.Disabled = in.time()
	t.DisabledMark = in.text()
	t.HeldUntil = in.time()
	if len(in.rest) > 0 { // records of early releases end here
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
