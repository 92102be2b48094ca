package replica

// send starts a flight of what is first, if there is anything.
func (w *sender) send() {
	b := w.first()
	if _, isWaiting := w.seer.oldest(); !isWaiting && !w.hasSpilled() {
		return
	}
	f := &flight{backlog: b}
	w.packer = newPacker(b.incarnation, w.seer.link.MaxMessage())
	isWhole, err := w.packSpill(f)
	if err != nil {
		w.link.failed()
		w.failed("cannot read the spill", err)
		return
	}
	if isWhole && b == w.seer.own {
		w.packQueue(f)
	}
	if !w.packer.isEmpty {
		f.messages = append(f.messages, w.packer.message())
	}
	switch {
	case len(f.messages) > 0:
		w.flight = f
		f.start(w.seer.link)
	default:
		w.settle(f) // nothing of it can be sent, or is left
	}
}

// first returns the backlog that is sent first: the oldest that has a spill.
func (w *sender) first() *backlog {
	for _, b := range w.seer.old {
		if b.spill != nil {
			return b
		}
	}
	return w.seer.own
}

// packSpill packs what is next in the spill. isWhole reports that there is no more.
func (w *sender) packSpill(f *flight) (isWhole bool, err error) {
	b := f.backlog
	if b.spill == nil || b.isEmptyUpTo(b.acked) {
		return true, nil
	}
	isWhole, f.next = true, b.spill.start
	err = b.spill.records(b.spill.start, func(r *record) bool {
		if r.K <= b.acked || r.kind != kindSighting {
			f.next = r.next
			return true
		}
		w.correct(&r.Sighting)
		ok, unfit := f.pack(w.packer, &r.Sighting, true)
		if isWhole = ok; ok {
			f.next = r.next
		}
		w.unfit(unfit)
		return ok
	})
	w.countDamaged(b)
	if err == nil && isWhole {
		f.last, f.next = max(f.last, b.spill.last), b.spill.end
	}
	return isWhole, err
}

// packQueue packs what is first in the queue.
func (w *sender) packQueue(f *flight) {
	for _, s := range w.seer.peek(w.packer.limit) {
		w.correct(&s)
		ok, unfit := f.pack(w.packer, &s, false)
		w.unfit(unfit)
		if !ok {
			return
		}
	}
}

// correct moves what was seen before the clock was compared with those of the others.
func (w *sender) correct(s *Sighting) {
	if !s.IsUncompared {
		return
	}
	s.Shift, _ = w.seer.clockShift()
	s.At, s.IsUncompared = s.At.Add(s.Shift), false
}
