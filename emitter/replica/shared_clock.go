package replica

import (
	"cmp"
	"slices"
	"time"
)

const (
	// rightClock is how far the clock may be from that of the others, beside what is
	// unsure of it, and is left alone.
	rightClock = 500 * time.Microsecond
	// wrongClock is how far it has to be off so that somebody should set it.
	wrongClock = 100 * time.Millisecond
	// clockMemory is how long a correction is kept while fewer replicas are heard than
	// those that it was found by: who is left may be the one whose clock is wrong.
	clockMemory = 10 * time.Minute
)

// sharedClock is how the clock of this replica is corrected, so that all have the same:
// that of the median, or of the earlier of two. What a replica saw has the time of the
// shared clock, so that it has its place among what others saw even if nobody can ask
// it any more.
type sharedClock struct {
	// shift is added to our own clock.
	shift time.Duration
	// heard is how many clocks it was found by, 0 if it was not yet, and lately when so
	// many were heard last.
	heard  int
	lately time.Time
	// kept is the shift that the next incarnation will find, and keptAt since when.
	kept   time.Duration
	keptAt time.Time
}

// Now returns the time by the shared clock.
func (r *Roster) Now() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.options.Now().Add(r.clock.shift)
}

// ClockShift returns what the shared clock adds to that of this replica. isKnown is false
// as long as the replica has compared it with nobody, and others may be there.
func (r *Roster) ClockShift() (shift time.Duration, isKnown bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.clock.shift, r.clock.heard > 0 || r.isKnown()
}

// compareClocks corrects the clock by what was heard. The lock is held.
func (r *Roster) compareClocks() {
	offsets := append(r.offsets(), Offset{})
	if len(offsets) == 1 {
		return
	}
	slices.SortFunc(offsets, func(a, b Offset) int { return cmp.Compare(a.Ahead, b.Ahead) })
	before := r.clock.shift
	r.clock.correct(offsets[(len(offsets)-1)/2], len(offsets), time.Now())
	if (r.clock.shift - before).Abs() > wrongClock {
		r.say(func() {
			r.log.Warn("the clock of this replica is not that of the others: its times are corrected", "ahead", -r.clock.shift, "before", -before)
		})
	}
}

// offsets returns those of the clocks of the others that are heard. Two incarnations of a
// replica have one clock. The lock is held.
func (r *Roster) offsets() (all []Offset) {
	newest := map[string]*member{}
	for _, m := range r.members {
		_, isMeasured := m.offset.Now()
		isHeard := isMeasured && r.listened-m.heard < silence
		if known := newest[m.Name]; isHeard && m.Name != r.options.Name && (known == nil || known.started.Before(m.started)) {
			newest[m.Name] = m
		}
	}
	for _, m := range newest {
		o, _ := m.offset.Now()
		all = append(all, o)
	}
	return all
}

// correct takes the median offset of so many clocks.
func (c *sharedClock) correct(median Offset, clocks int, now time.Time) {
	if clocks >= c.heard {
		c.heard, c.lately = clocks, now
	} else if now.Sub(c.lately) < clockMemory {
		return
	}
	if isRight := (median.Ahead - c.shift).Abs() <= median.Unsure+rightClock; isRight {
		return
	}
	c.shift, c.heard, c.lately = median.Ahead, clocks, now
}

// mustKeep reports whether the next incarnation should find another correction than it
// would, or one that is newer.
func (c *sharedClock) mustKeep() bool {
	isOld := time.Since(c.keptAt) > clockMemory/2
	return (c.shift-c.kept).Abs() > 2*rightClock || isOld && c.kept != 0
}

// keepClock keeps the correction for the next incarnation, if it has changed or what is
// kept becomes old.
func (r *Roster) keepClock() {
	if r.options.Dir == "" {
		return
	}
	r.mu.Lock()
	clock, mustKeep := r.clock, r.clock.mustKeep()
	if mustKeep {
		r.clock.kept, r.clock.keptAt = clock.shift, time.Now()
	}
	r.mu.Unlock()
	if !mustKeep {
		return
	}
	if err := clock.save(r.options.Dir, r.options.Now()); err != nil {
		r.log.Warn("cannot keep how the clock is corrected", "error", err)
	}
}
