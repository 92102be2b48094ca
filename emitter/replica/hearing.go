package replica

import (
	"slices"
	"time"
)

// hear takes a hello of any replica.
func (r *Roster) hear(message []byte) {
	received := r.options.Now()
	h, err := parseHello(message)
	if err != nil {
		return
	}
	for _, say := range r.heard(&h, received) {
		say()
	}
	r.keepClock()
}

// heard takes a hello that was received at a time by our own clock. It returns what there
// is to say of it without the lock, which every observation needs.
func (r *Roster) heard(h *hello, received time.Time) (sayings []func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case h.incarnation == r.options.Incarnation:
		r.hearSelf()
	case h.kind == kindLeave:
		r.leave(h.incarnation)
	case h.kind == kindHello && !slices.Contains(r.left, h.incarnation):
		r.hearOther(h, received)
	}
	sayings, r.sayings = r.sayings, nil
	return sayings
}

// leave forgets a replica that has taken its leave.
func (r *Roster) leave(incarnation string) {
	delete(r.members, incarnation)
	if slices.Contains(r.left, incarnation) {
		return
	}
	if len(r.left) == maxMembers {
		r.left = r.left[1:]
	}
	r.left = append(r.left, incarnation)
}

// say keeps something to log until the lock is not held any more.
func (r *Roster) say(log func()) { r.sayings = append(r.sayings, log) }

// hearSelf counts for how long the replica has listened, and forgets who was silent all the time.
func (r *Roster) hearSelf() {
	if r.hearsItself() {
		r.listened += time.Since(r.last)
	} else {
		r.since = time.Now()
	}
	r.last = time.Now()
	for incarnation, m := range r.members {
		if r.listened-m.heard >= Presence {
			delete(r.members, incarnation)
			r.say(func() {
				r.log.Warn("a replica was not heard for 30 seconds: what it saw and did not send is late", "replica", m.Name)
			})
		}
	}
}

func (r *Roster) hearOther(h *hello, received time.Time) {
	m := r.members[h.incarnation]
	if m == nil {
		if len(r.members) >= maxMembers {
			r.say(func() { r.warn.Do(func() { r.log.Warn("there are too many replicas", "most", maxMembers) }) })
			return
		}
		m = &member{started: h.started, first: r.listened}
		m.Name, m.Incarnation = h.name, h.incarnation
		r.members[h.incarnation] = m
		r.greet()
	}
	m.heard, m.lastHeard, m.Extra, m.told, m.drainedTo = r.listened, time.Now(), h.extra, h.clock, h.drainedTo
	r.measure(m, h, received)
	r.replace(m)
	if h.name == r.options.Name && r.listened-m.first > overlap {
		r.warnOfName(h.name)
	}
}

// measure measures the clock of a replica by its echo of one of our hellos.
func (r *Roster) measure(m *member, h *hello, received time.Time) {
	i := slices.IndexFunc(h.echoes, r.isOurs)
	if i < 0 {
		return
	}
	if isFirst := m.offset == (Offset{}); isFirst {
		r.greet() // it can measure ours then
	}
	if o, ok := MeasureOffset(h.clock, h.echoes[i].clock, received, h.echoes[i].held); ok {
		m.offset.Take(o)
		r.compareClocks()
	}
}

func (r *Roster) isOurs(e echo) bool { return e.incarnation == r.options.Incarnation }

// greet says hello soon: whoever comes should not have to wait until its clock is compared.
func (r *Roster) greet() {
	select {
	case r.greeting <- struct{}{}:
	default:
	}
}

// replace forgets the earlier incarnations of a replica that is heard, once they are silent.
func (r *Roster) replace(by *member) {
	for incarnation, m := range r.members {
		if m == by || m.Name != by.Name {
			continue
		}
		isEarlier := m.started.Before(by.started)
		switch isSilent := r.listened-m.heard >= silence; {
		case isEarlier && isSilent:
			delete(r.members, incarnation)
		case r.listened-max(m.first, by.first) > overlap && !isSilent:
			r.warnOfName(m.Name)
		}
	}
}

func (r *Roster) warnOfName(name string) {
	r.say(func() {
		r.warn.Do(func() { r.log.Warn("two replicas have the same name: give each its own (replicas.name)", "name", name) })
	})
}
