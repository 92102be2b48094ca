package replica

import (
	"slices"
	"time"
)

// maxAhead is how much of the spill is sent that is newer than what another replica has in
// its own, in bytes: the leader keeps it in memory until all have sent what is as old.
const maxAhead = 2 << 20

// draining keeps the spills of all replicas in step while they are drained, so that what
// was seen at one time is sent at one time.
type draining struct {
	// sent is when the latest was seen of what was sent of the spill.
	sent time.Time
	// ahead is what was sent that may be newer than what others have in their spills.
	ahead []stretch
	// waited is when this replica had to wait for others first, zero if it never had to.
	// They had sent what they saw up to from then, and up to to by now.
	waited   time.Time
	from, to time.Time
}

// stretch is what a flight had of the spill.
type stretch struct {
	at    time.Time
	bytes int64
}

// landed notes what a flight had, which may be of no spill: then that does not last.
func (d *draining) landed(f *flight) {
	at := f.at.Truncate(time.Microsecond) // as others are told
	if at.After(d.sent) {
		d.sent = at
	}
	d.ahead = append(d.ahead, stretch{at: at, bytes: f.bytes})
}

// othersSent notes up to when others have sent what they saw, all of it if that is zero.
func (d *draining) othersSent(to time.Time) {
	d.ahead = slices.DeleteFunc(d.ahead, func(s stretch) bool { return to.IsZero() || !s.at.After(to) })
}

// isAhead reports whether too much was sent that is newer than what others have.
func (d *draining) isAhead() bool {
	bytes := int64(0)
	for _, s := range d.ahead {
		bytes += s.bytes
	}
	return bytes >= maxAhead
}

// waits notes that others are waited for, who have sent what they saw up to a time.
func (d *draining) waits(others time.Time) {
	if d.waited.IsZero() {
		d.waited = time.Now()
	}
	if hasBegun := others.Unix() > 0; hasBegun {
		if d.from.IsZero() {
			d.from = others
		}
		d.to = others
	}
}

// isPatient reports whether others are still waited for: not once they have sent less in a
// long time than they saw in as long, since that never ends.
func (d *draining) isPatient() bool {
	return time.Since(d.waited) <= Presence+max(0, d.to.Sub(d.from))
}

// noteDrained notes up to when everything was sent that was seen, for the other replicas.
func (w *sender) noteDrained() {
	var to time.Time
	switch {
	case !w.hasSpilled():
		w.draining = draining{}
	case w.draining.sent.IsZero():
		to = time.Unix(0, 0)
	default:
		to = w.draining.sent
	}
	w.seer.mu.Lock()
	defer w.seer.mu.Unlock()
	w.seer.drainedTo = to
}

// awaitsOthers reports whether so much of the spill was sent that others have to send what
// is as old before more is. They go on where this one waits, since theirs is older.
func (w *sender) awaitsOthers() bool {
	if !w.hasSpilled() || !w.seer.link.IsConnected() {
		return false
	}
	d := &w.draining
	others, isKnown := w.seer.others()
	if isKnown {
		d.othersSent(others)
	}
	if !d.isAhead() {
		return false
	}
	if d.waits(others); !d.isPatient() {
		return false
	}
	w.link.at = time.Now().Add(clockPause)
	return true
}
