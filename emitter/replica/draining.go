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
	// reached is when the latest was seen of what was sent of the spill.
	reached time.Time
	// ahead is what was sent that may be newer than what others have in their spills.
	ahead []stretch
	// waits is since when this replica waits for others without any progress of theirs,
	// the oldest of which is of the time others; zero if it does not.
	waits  time.Time
	others time.Time
}

// stretch is what a flight had of the spill.
type stretch struct {
	at    time.Time
	bytes int64
}

// sent notes that a flight has landed.
func (d *draining) sent(f *flight) {
	if f.at.After(d.reached) {
		d.reached = f.at
	}
	d.ahead = append(d.ahead, stretch{at: f.at, bytes: f.bytes})
}

// noteDraining notes since when what waits in the spill was seen, for the other replicas.
func (w *sender) noteDraining() {
	var since time.Time
	switch {
	case !w.hasSpilled():
		w.draining = draining{}
	case w.draining.reached.IsZero():
		since = time.Unix(0, 1) // none knows better before the first of it is sent
	default:
		since = w.draining.reached
	}
	w.seer.mu.Lock()
	defer w.seer.mu.Unlock()
	w.seer.spilledSince = since
}

// awaitsOthers reports whether so much of the spill was sent that others have to send what
// is as old before more is. They go on where this one waits, since theirs is older. One
// that does not go on for so long that it would be given up if it was gone holds up nobody.
func (w *sender) awaitsOthers() bool {
	if !w.hasSpilled() {
		return false
	}
	since, isKnown := w.seer.others()
	w.draining.ahead = slices.DeleteFunc(w.draining.ahead, func(s stretch) bool {
		return isKnown && (since.IsZero() || !s.at.After(since))
	})
	bytes := int64(0)
	for _, s := range w.draining.ahead {
		bytes += s.bytes
	}
	switch {
	case bytes < maxAhead || !w.seer.link.IsConnected():
		w.draining.waits = time.Time{}
		return false
	case w.draining.waits.IsZero() || !w.draining.others.Equal(since):
		w.draining.waits, w.draining.others = time.Now(), since
	case time.Since(w.draining.waits) > presence:
		return false
	}
	w.link.at = time.Now().Add(clockPause)
	return true
}
