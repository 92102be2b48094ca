package replica

import "time"

// hear takes a hello of any replica.
func (r *Roster) hear(message []byte) {
	h, err := parseHello(message)
	if err != nil {
		return
	}
	defer r.saveClock() // without the lock, which every observation needs
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case h.incarnation == r.options.Incarnation:
		r.hearSelf()
	case h.kind == kindLeave:
		delete(r.members, h.incarnation)
	case h.kind == kindHello:
		r.hearOther(&h)
	}
}

// hearSelf counts for how long the replica has listened, and forgets who was silent all the time.
func (r *Roster) hearSelf() {
	if r.hearsItself() {
		r.listened += time.Since(r.last)
	} else {
		r.since = time.Now()
	}
	r.last = time.Now()
	for incarnation, m := range r.members {
		if r.listened-m.heard >= presence {
			delete(r.members, incarnation)
			r.log.Warn("a replica was not heard for 30 seconds: what it saw and did not send is late", "replica", m.Name)
		}
	}
	r.compareClocks()
}

func (r *Roster) hearOther(h *hello) {
	m := r.members[h.incarnation]
	if m == nil {
		if len(r.members) >= maxMembers {
			r.warn.Do(func() { r.log.Warn("there are too many replicas", "most", maxMembers) })
			return
		}
		m = &member{started: h.started, first: r.listened}
		m.Name, m.Incarnation = h.name, h.incarnation
		m.ClockAhead = h.clock.Sub(r.options.Now())
		r.members[h.incarnation] = m
	}
	m.heard, m.lastHeard, m.Extra = r.listened, time.Now(), h.extra
	m.hellos++
	ahead := h.clock.Sub(r.options.Now())
	m.ClockAhead = max(ahead, m.ClockAhead-(m.ClockAhead-ahead)/16) // a clock that was set is followed
	r.replace(m)
	if h.name == r.options.Name && r.listened-m.first > overlap {
		r.warnOfName(h.name)
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
	r.warn.Do(func() {
		r.log.Warn("two replicas have the same name: give each its own (replicas.name)", "name", name)
	})
}
