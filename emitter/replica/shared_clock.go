package replica

import (
	"slices"
	"time"
)

const (
	// trustedClock is how far from the others a clock may be that counts as right: clocks
	// that are set over the network are better than what hellos tell of them.
	trustedClock = 100 * time.Millisecond
	// clockHellos is after how many hellos the clock of a replica counts: the first may
	// have been on their way for long.
	clockHellos = 4
	// clockPatience is for how long a clock must be off until it is corrected again. Who
	// was stopped hears first what was said meanwhile.
	clockPatience = 2 * time.Second
	// clockMemory is how long a correction is kept while fewer replicas are heard than
	// those that it was found by: who is left may be the one whose clock is wrong.
	clockMemory = 10 * time.Minute
)

// sharedClock is how the clock of this replica is corrected, so that all have about the
// same: that of the median, or of the earlier of two. What a replica saw has the time of
// the shared clock, so that it has its place among what others saw even if nobody can
// ask it any more.
type sharedClock struct {
	// shift is added to our own clock.
	shift time.Duration
	// heard is how many clocks it was found by, and lately when so many were heard last.
	heard  int
	lately time.Time
	// off is since when it is wrong, zero if it is right.
	off time.Time
	// saved is when it was kept for the next incarnation, mustSave whether it has to be again.
	saved    time.Time
	mustSave bool
}

// Now returns the time by the shared clock.
func (r *Roster) Now() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.options.Now().Add(r.clock.shift)
}

// compareClocks corrects the clock by what was heard. The lock is held.
func (r *Roster) compareClocks() {
	ahead := append(r.clocksHeard(), 0)
	if len(ahead) == 1 {
		return
	}
	slices.Sort(ahead)
	before := r.clock.shift
	isChanged := r.clock.correct(ahead[(len(ahead)-1)/2], len(ahead), time.Now())
	if isChanged {
		r.log.Warn("the clock of this replica is not that of the others: its times are corrected", "ahead", -r.clock.shift, "before", -before)
	}
	isOld := time.Since(r.clock.saved) > clockMemory/2
	r.clock.mustSave = r.options.Dir != "" && (isChanged || isOld && r.clock.shift != 0)
}

// saveClock keeps the correction for the next incarnation, if it has changed or what is
// kept becomes old.
func (r *Roster) saveClock() {
	r.mu.Lock()
	clock := r.clock
	r.clock.mustSave = false
	r.mu.Unlock()
	if !clock.mustSave {
		return
	}
	if err := clock.save(r.options.Dir, r.options.Now()); err != nil {
		r.log.Warn("cannot keep how the clock is corrected", "error", err)
	}
	r.mu.Lock()
	r.clock.saved = time.Now()
	r.mu.Unlock()
}

// clocksHeard returns by how much the clocks of the others are ahead. Two incarnations
// of a replica have one clock. The lock is held.
func (r *Roster) clocksHeard() (ahead []time.Duration) {
	newest := map[string]*member{}
	for _, m := range r.members {
		isHeard := m.hellos >= clockHellos && r.listened-m.heard < silence
		if known := newest[m.Name]; isHeard && m.Name != r.options.Name && (known == nil || known.started.Before(m.started)) {
			newest[m.Name] = m
		}
	}
	for _, m := range newest {
		ahead = append(ahead, m.ClockAhead)
	}
	return ahead
}

// correct takes by how much the median of so many clocks is ahead of our own. It reports
// whether the correction has changed.
func (c *sharedClock) correct(median time.Duration, clocks int, now time.Time) (isChanged bool) {
	isFound := clocks > c.heard // rather than kept
	if clocks >= c.heard {
		c.heard, c.lately = clocks, now
	} else if now.Sub(c.lately) < clockMemory {
		return false
	}
	if isRight := (median - c.shift).Abs() <= trustedClock; isRight {
		c.off = time.Time{}
		return false
	}
	if c.off.IsZero() {
		c.off = now
	}
	if !isFound && now.Sub(c.off) < clockPatience {
		return false
	}
	c.shift, c.heard, c.lately, c.off = median, clocks, now, time.Time{}
	return true
}
