package replica

import (
	"crypto/rand"
	"errors"
	"math"
	"slices"
	"time"
)

// mustSpill reports whether what waits in memory has to be written to the spill: it
// has waited for long enough, there is no hope that it is seen by all in time, or more
// is in the spill already than what is on its way.
func (w *sender) mustSpill() bool {
	since, isWaiting := w.seer.oldest()
	switch {
	case !isWaiting:
		return false
	case w.link.pause > 0 || !w.seer.link.IsConnected():
		return true
	case w.flight != nil && time.Since(w.flight.began) >= durableWait:
		return true
	}
	return time.Since(since) >= durableWait || !w.empties()
}

// empties reports whether no spill has anything once the flight has landed.
func (w *sender) empties() bool {
	if w.flight == nil {
		return !w.hasSpilled()
	}
	for _, b := range w.seer.old {
		if b.spill != nil && (b != w.flight.backlog || !b.isEmptyUpTo(w.flight.last)) {
			return false
		}
	}
	own := w.seer.own
	if own != w.flight.backlog {
		return own.isEmptyUpTo(own.acked)
	}
	return own.isEmptyUpTo(w.flight.last)
}

// spill writes what waits in memory to the spill.
func (w *sender) spill() {
	for {
		sightings := w.seer.peek(maxAppend)
		if len(sightings) == 0 {
			return
		}
		if err := w.write(sightings); err != nil {
			w.disk.failed()
			w.failed("cannot write the spill: participants are served, but observations wait in memory and are lost if the process dies", err)
			return
		}
		w.disk.succeeded()
		w.spilled(sightings)
	}
}

// write writes sightings to the spill, which is created if necessary.
func (w *sender) write(sightings []Sighting) (err error) {
	s := w.seer
	if s.own.spill == nil {
		random := func(to []byte) { _, _ = rand.Read(to) }
		if s.own.spill, err = createSpill(s.disk, newHeader(s.incarnation, random)); err != nil {
			return err
		}
	}
	return s.own.spill.append(sightings, w.room())
}

// room returns how many bytes may be added to the spill.
func (w *sender) room() int64 {
	if w.seer.maxSpill <= 0 {
		return math.MaxInt64
	}
	room := w.seer.maxSpill
	for _, b := range w.seer.backlogs() {
		if b.spill != nil {
			room -= b.spill.end
		}
	}
	return room
}

// spilled notes that sightings are in the spill, and releases those who wait for them.
func (w *sender) spilled(sightings []Sighting) {
	s := w.seer
	last := sightings[len(sightings)-1].K
	if f := w.flight; f != nil && f.backlog == s.own {
		for i := range f.sightings {
			f.sightings[i].isSpilled = f.sightings[i].isSpilled || f.sightings[i].k <= last
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range sightings {
		s.own.spilled(&sightings[i])
	}
	s.counts.spilled += uint64(len(sightings))
	s.release(len(sightings))
}

// drained deletes the spill of an earlier incarnation, and empties that of this one.
func (w *sender) drained(b *backlog) {
	var err error
	if b == w.seer.own {
		err = b.spill.empty()
	} else {
		err = b.spill.remove()
		b.spill = nil
	}
	if err != nil {
		w.failed("cannot empty the spill, which is sent again after a restart", err)
	}
}

// openSpills opens what earlier incarnations have left, oldest first.
func (w *sender) openSpills() {
	w.mustLook, w.lookAt = false, time.Now().Add(lookEvery)
	names, err := w.seer.disk.names(spillPrefix)
	if err != nil {
		w.mustLook = true
		w.failed("cannot look for spills", err)
	}
	var found []*backlog
	for _, name := range names {
		if w.isOpen(name) {
			continue
		}
		b, err := w.openSpill(name)
		switch {
		case errors.Is(err, errLocked):
			w.mustLook = true // it is drained by its process, or by this one later
		case errors.Is(err, ErrNewer):
			w.failed("cannot read a spill", err)
		case err != nil:
			w.mustLook = true
			w.failed("cannot read a spill", err)
		case b != nil:
			found = append(found, b)
		}
	}
	slices.SortStableFunc(found, func(a, b *backlog) int { return a.spill.created.Compare(b.spill.created) })
	w.seer.mu.Lock()
	defer w.seer.mu.Unlock()
	w.seer.old = append(w.seer.old, found...)
}

// isOpen reports whether a spill is in use by this Seer.
func (w *sender) isOpen(name string) bool {
	isIt := func(b *backlog) bool { return b.spill != nil && b.spill.name == name }
	return isIt(w.seer.own) || slices.ContainsFunc(w.seer.old, isIt)
}

// openSpill returns what is in a file, nil if it is nothing.
func (w *sender) openSpill(name string) (*backlog, error) {
	s, err := openSpill(w.seer.disk, name)
	if err != nil {
		return nil, err
	}
	b := newBacklog(s.incarnation)
	b.spill = s
	isFirst := true
	err = s.records(spillHeaderSize, func(r *record) bool {
		if isFirst {
			b.acked, b.told, isFirst = r.K-1, r.K-1, false
		}
		s.last = r.K
		if r.kind == kindSighting {
			b.pending[r.Participant] = r.K
			b.spilled(&r.Sighting)
		}
		return true
	})
	if err != nil {
		return nil, errors.Join(err, s.file.Close())
	}
	w.countDamaged(b)
	if isFirst {
		return nil, s.remove()
	}
	w.seer.log.Info("found a spill of an earlier run", "waiting", b.records, "bytes", b.bytes)
	return b, nil
}

// closeSpills closes all files, and deletes an empty one.
func (w *sender) closeSpills() {
	for _, b := range w.seer.backlogs() {
		if b.spill == nil {
			continue
		}
		end := b.spill.file.Close
		if b.isEmptyUpTo(b.acked) {
			end = b.spill.remove
		}
		b.spill = nil
		if err := end(); err != nil {
			w.failed("cannot close the spill", err)
		}
	}
}

func (w *sender) countDamaged(b *backlog) {
	n := b.spill.damaged
	if n == 0 {
		return
	}
	b.spill.damaged = 0
	w.seer.log.Error("records of the spill are damaged; what they had is lost", "gaps", n)
	w.seer.mu.Lock()
	defer w.seer.mu.Unlock()
	w.seer.counts.damaged += uint64(n)
}

// unfit notes a sighting that no message can have.
func (w *sender) unfit(err error) {
	if err == nil {
		return
	}
	w.failed("an observation is lost", err)
	w.seer.mu.Lock()
	defer w.seer.mu.Unlock()
	w.seer.counts.lost++
}

// report logs that something waits in the spill, and that nothing does any more.
func (w *sender) report() {
	switch hasSpilled := w.hasSpilled(); {
	case hasSpilled && w.spilling.IsZero():
		w.spilling = time.Now()
	case hasSpilled && !w.isReported && time.Since(w.spilling) >= reportAfter:
		w.isReported = true
		status := w.seer.Status()
		w.seer.log.Warn("observations wait on this disk for the other replicas: events are late, and lost if this disk is",
			"waiting", status.Records, "bytes", status.Bytes, "connected", status.IsConnected, "error", w.linkError)
	case !hasSpilled:
		if w.isReported {
			w.seer.log.Info("the other replicas have all that waited on this disk", "spilled_total", w.seer.Status().Spilled)
		}
		w.spilling, w.isReported = time.Time{}, false
	}
}
