package record

import (
	"iter"
	"slices"
	"time"

	"github.com/sidehook/sidehook/rules"
)

const (
	// clickPause is how often the leader asks whether a navigation has ended.
	clickPause = 5 * time.Millisecond
	// maxRounds is how often the replicas are asked about a participant who goes on meanwhile
	// until what came since waits for the next batch, and roundsLimit how long.
	maxRounds   = 10
	roundsLimit = 2 * time.Second
	// clickShare is how much longer than it has waited for clicks the leader does not
	// wait for others: whoever keeps navigations in flight must not hold up everybody.
	clickShare = 9
)

// standing is what the replicas have told of a participant.
type standing struct {
	// isComplete reports whether all that were heard of lately have.
	isComplete bool
	// asked is the number of the last message that was read when they were asked last, and
	// rounds is how often they were.
	asked  uint64
	rounds int
	// queues tell what had ended when they were asked, or in an earlier round if isCut.
	queues []knownQueue
	isCut  bool
	views  []view
}

// needs reports whether a sighting of the participant is folded together with what was
// known when the replicas were asked: it had ended by then. What was seen by a replica
// that is gone may have.
func (s *standing) needs(one *seen) bool {
	for _, q := range s.queues {
		if q.Incarnation == one.from {
			return one.k <= max(q.Acked, q.Pending)
		}
	}
	return true
}

// isUnsure reports whether it should be found out again when the replicas did what they
// have told.
func (s *standing) isUnsure() bool {
	return s.rounds < maxMeasures && slices.ContainsFunc(s.views, func(v view) bool { return v.unsure > goodClock })
}

// view is what one replica knew of a participant when it made its answer, by the
// leader's clock, which may be wrong by as much as unsure.
type view struct {
	incarnation string
	made        time.Time
	unsure      time.Duration
	// started is how long before that it had started.
	started time.Duration
	knownExchanges
}

// span is when an exchange began and ended, by the leader's clock, which may be wrong by
// as much as unsure.
type span struct {
	began, ended time.Time
	unsure       time.Duration
}

// mayOverlap reports whether two exchanges may have been in flight at the same time.
func (s span) mayOverlap(other span) bool {
	unsure := s.unsure + other.unsure
	return !s.ended.Before(other.began.Add(-unsure)) && !other.ended.Before(s.began.Add(-unsure))
}

// span returns when an exchange in a view was, until the view was made if it is in flight.
func (v *view) span(e *knownExchange) span {
	s := span{began: v.made.Add(-e.Began), ended: v.made.Add(-e.Ended), unsure: v.unsure}
	if e.IsInFlight {
		s.ended = v.made
	}
	return s
}

// spanOf returns when the exchange of a sighting was.
func (b *batch) spanOf(s *seen) (sp span) {
	sp.began, sp.unsure = b.clocks.local(s.from, s.Began)
	sp.ended, _ = b.clocks.local(s.from, s.Observation.At)
	return sp
}

// isSilent reports whether a participant has no exchange in flight anywhere.
func (b *batch) isSilent(participant string) bool {
	known := b.known[participant]
	if known == nil || !known.isComplete {
		return false
	}
	return !slices.ContainsFunc(known.views, func(v view) bool {
		return slices.ContainsFunc(v.Exchanges, func(e knownExchange) bool { return e.IsInFlight })
	})
}

// isAlone reports whether nothing at other replicas disturbed a page that was shown.
// In doubt, it was disturbed: the next page shown tells.
func (b *batch) isAlone(all []*seen, at int) bool {
	s := all[at]
	known := b.known[s.participant]
	shown := b.spanOf(s)
	if known == nil || !known.isComplete || b.isDisturbedLater(all, at) {
		return false
	}
	return !slices.ContainsFunc(known.views, func(v view) bool {
		return v.incarnation != s.from && v.mayDisturb(shown)
	})
}

// isDisturbedLater reports whether an exchange that is folded after a page shown had
// begun before. Its replica may not remember.
func (b *batch) isDisturbedLater(all []*seen, at int) bool {
	s := all[at]
	for later := range b.after(all, at) {
		disturbs := later.from != s.from && later.Observation != nil && later.Observation.Kind != rules.PageShown
		if disturbs && !later.Began.After(s.at) {
			return true
		}
	}
	return false
}

// after returns the sightings of a participant that are folded after one, as far as they
// were read.
func (b *batch) after(all []*seen, at int) iter.Seq[*seen] {
	participant := all[at].participant
	return func(yield func(*seen) bool) {
		for _, later := range all[at+1:] {
			if later.participant != participant {
				break // those of a participant are side by side
			}
			if !yield(later) {
				return
			}
		}
		for _, later := range b.left[participant] {
			if !yield(later) {
				return
			}
		}
	}
}

// leave finds what is left to the next batch of participants who were cut, or of all if
// the batch has a horizon.
func (b *batch) leave() {
	b.left = map[string][]*seen{}
	for i, one := range b.list {
		for _, s := range one.seen {
			known := b.known[s.participant]
			if !b.has(i, s) && known != nil && (known.isCut || b.isNarrow()) {
				b.left[s.participant] = append(b.left[s.participant], s)
			}
		}
	}
}

// mayDisturb reports whether an exchange at the replica may have overlapped a page that
// was shown. Of those before the replica has started, what matters was folded: a
// journey knows when the participant has moved.
func (v *view) mayDisturb(shown span) bool {
	isUnknown := v.made.Add(-v.Since - v.unsure - shown.unsure).After(shown.began)
	if isUnknown && v.Since < v.started {
		return true
	}
	return slices.ContainsFunc(v.Exchanges, func(e knownExchange) bool {
		other := v.span(&e)
		return e.Kind != rules.PageShown && (other.mayOverlap(shown) || e.IsInFlight && !other.began.After(shown.ended))
	})
}

// inFlight returns the answers that were in flight when the participant moved on: those
// that its replica knows of, those at others that are in flight still, and those that
// have ended since, which are folded later in the batch.
func (b *batch) inFlight(all []*seen, places map[uint64]int, at int) (tickets []uint64, items []string) {
	s := all[at]
	o := s.Observation
	tickets, items = slices.Clone(o.InFlight), slices.Clone(o.InFlightItems)
	add := func(ticket uint64, item string) {
		if !slices.Contains(tickets, ticket) {
			tickets, items = append(tickets, ticket), append(items, item)
		}
	}
	for later := range b.after(all, at) {
		l := later.Observation
		if l != nil && later.from != s.from && l.Kind == rules.Answered && l.Journey == o.Journey && !later.Began.After(s.at) {
			add(l.Ticket, l.Item)
		}
	}
	known := b.known[s.participant]
	moved := b.spanOf(s)
	if known == nil {
		return tickets, items
	}
	for i := range known.views {
		v := &known.views[i]
		for j := range v.Exchanges {
			e := &v.Exchanges[j]
			ticket := ticketOf(v.incarnation, e.Ticket)
			place, isInBatch := places[ticket]
			isOver := isInBatch && place < at
			isOfJourney := e.Kind == rules.Answered && e.Journey == journeyDigest(o.Journey)
			if v.incarnation != s.from && e.IsInFlight && isOfJourney && !isOver && !v.span(e).began.After(moved.ended) {
				add(ticket, e.Item)
			}
		}
	}
	return tickets, items
}

// clicking returns the participants of the batch who have another navigation in flight
// at another replica: two clicks at once may be folded in the wrong order. It returns
// none once the batch has waited for that.
func (b *batch) clicking() (participants []string) {
	now := time.Now()
	isWaiting := !b.clicksUntil.IsZero()
	if !isWaiting && now.Before(b.noClicksBefore) {
		return nil
	}
	for s := range b.sightings() {
		if s.isClick() && b.hasClickInFlight(s) && !slices.Contains(participants, s.participant) {
			participants = append(participants, s.participant)
		}
	}
	switch {
	case !isWaiting && len(participants) > 0:
		b.clicksUntil = now.Add(turnLimit)
	case isWaiting && (len(participants) == 0 || !now.Before(b.clicksUntil)):
		b.noClicksBefore = now.Add(clickShare * now.Sub(b.clicksUntil.Add(-turnLimit)))
		return nil
	}
	return participants
}

// hasClickInFlight reports whether a few navigations are in flight at other replicas that
// began before one was over.
func (b *batch) hasClickInFlight(s *seen) bool {
	moved := b.spanOf(s)
	clicks := 0
	for i := range b.known[s.participant].views {
		v := &b.known[s.participant].views[i]
		for j := range v.Exchanges {
			e := &v.Exchanges[j]
			isClick := e.IsInFlight && e.Kind == rules.Navigated && e.Journey == journeyDigest(s.Observation.Journey)
			if v.incarnation != s.from && isClick && !v.span(e).began.After(moved.ended) {
				clicks++
			}
		}
	}
	return clicks > 0 && clicks < maxTurns
}
