package record

import (
	"context"
	"slices"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/rules"
)

// batch is what is folded at once: the first messages of the list, all that their
// participants did before them at any replica, and tasks. Where that is too much, it is
// what was seen up to its horizon, and later tasks are deferred.
type batch struct {
	*folding
	count   int
	horizon time.Time
	// narrowAt is how much has to be read so that it gets another horizon, in bytes.
	narrowAt int
	tasks    []foldTask
	began    time.Time
	// known is what the replicas have told of participants.
	known map[string]*standing
	// left has what was read of participants and is not in it, if that may matter.
	left map[string][]*seen
	// clicksUntil is until when it waits for clicks, zero if it does not.
	clicksUntil time.Time
}

func (f *folding) newBatch(tasks []foldTask) *batch {
	b := &batch{folding: f, narrowAt: maxWhole, tasks: tasks, began: time.Now(), known: map[string]*standing{}}
	if f.bytes >= b.narrowAt {
		b.narrow()
		return b
	}
	seen, bytes := 0, 0
	for _, one := range f.list {
		if seen, bytes = seen+len(one.seen), bytes+one.bytes; b.count > 0 && (seen > maxBatchSeen || bytes > maxBatchBytes) {
			break
		}
		b.count++
	}
	return b
}

// gather reads on until nothing is outstanding of any participant in the batch.
func (b *batch) gather(ctx context.Context) error {
	for {
		participants := b.unasked()
		if len(participants) == 0 {
			participants = b.unmeasured()
		}
		if len(participants) == 0 {
			if participants = b.clicking(); len(participants) == 0 {
				return ctx.Err()
			}
			sleep(ctx, clickPause)
		}
		for some := range b.questions(participants) {
			if err := b.askUntilRead(ctx, some); err != nil {
				return err
			}
		}
		b.extend()
	}
}

// unasked returns the participants of the batch of whom the replicas were not asked, or
// only before what is in it by now.
func (b *batch) unasked() (participants []string) {
	asking := map[string]bool{}
	add := func(participant string, number uint64) {
		known := b.known[participant]
		if isNew := known == nil || number > known.asked; isNew && !asking[participant] {
			asking[participant] = true
			participants = append(participants, participant)
		}
	}
	for s := range b.sightings() {
		add(s.participant, s.number)
	}
	for _, task := range b.tasks {
		for _, participant := range task.participants {
			add(participant, 0)
		}
	}
	return participants
}

// unmeasured returns the participants who were shown a page alone, as far as its replica
// knew, while the clock of another one is known too badly to say whether they were.
func (b *batch) unmeasured() (participants []string) {
	for s := range b.sightings() {
		isShown := s.Observation != nil && s.Observation.Kind == rules.PageShown && s.Observation.Alone
		if isShown && b.known[s.participant].isUnsure() && !slices.Contains(participants, s.participant) {
			participants = append(participants, s.participant)
		}
	}
	return participants
}

// hasMoves reports whether an event may be made of the batch.
func (b *batch) hasMoves() bool {
	for s := range b.sightings() {
		if s.Observation != nil && s.Observation.Kind.Moves() {
			return true
		}
	}
	return false
}

// extend takes the messages into the batch that have what participants of it had done
// when the replicas were asked, and those before them.
func (b *batch) extend() {
	if b.isNarrow() {
		return
	}
	for i, one := range b.list[b.count:] {
		isNeeded := slices.ContainsFunc(one.seen, func(s *seen) bool {
			known := b.known[s.participant]
			return known != nil && known.needs(s)
		})
		if isNeeded {
			b.count += i + 1
			b.extend()
			return
		}
	}
}

// fold folds the batch in one transaction.
func (b *batch) fold(ctx context.Context) error {
	ordered, made := b.ordered(), false
	err := b.store.Do(ctx, func(tx *outbox.Tx) {
		before := b.setFloors(tx)
		for _, s := range ordered {
			if !tx.Beat() { // a batch may be all that was seen in an hour
				return
			}
			if s.k > before[s.from] {
				b.foldOne(tx, s)
			}
		}
		for _, task := range b.tasks {
			task.apply(tx, b)
		}
		made = true
	})
	if err != nil {
		return err
	}
	if !made {
		b.foldOneByOne(ctx, ordered)
	}
	b.end()
	return nil
}

// foldOne folds a sighting, unless its participant was forgotten since.
func (b *batch) foldOne(tx *outbox.Tx, s *seen) {
	if s.Observation != nil && !b.isForgotten(tx, s) {
		b.observe(tx, *s.Observation)
	}
}

// foldOneByOne folds the batch though something of it cannot be folded, which the
// store has logged and counted.
func (b *batch) foldOneByOne(ctx context.Context, ordered []*seen) {
	var before map[string]uint64
	_ = b.store.Do(ctx, func(tx *outbox.Tx) { before = b.setFloors(tx) })
	for _, s := range ordered {
		if s.k > before[s.from] {
			_ = b.store.Do(ctx, func(tx *outbox.Tx) { b.foldOne(tx, s) })
		}
	}
	for _, task := range b.tasks {
		_ = b.store.Do(ctx, func(tx *outbox.Tx) { task.apply(tx, b) })
	}
}

// setFloors notes that the batch is folded, and returns up to which sighting of each
// incarnation all were before.
func (b *batch) setFloors(tx *outbox.Tx) (before map[string]uint64) {
	before, last := map[string]uint64{}, map[string]uint64{}
	for s := range b.sightings() {
		last[s.from] = max(last[s.from], s.k)
	}
	for from, k := range last {
		if before[from] = tx.SeenFrom(from); k > before[from] {
			tx.SetSeenFrom(from, k)
		}
	}
	if floor := b.floorOf(); floor > tx.Seen() {
		tx.SetSeen(floor)
		b.setHeard(tx, floor)
	}
	return before
}

// floorOf returns up to which message all is folded with the batch, 0 for none.
func (b *batch) floorOf() (floor uint64) {
	for i, one := range b.list {
		if slices.ContainsFunc(one.seen, func(s *seen) bool { return !b.has(i, s) }) {
			break
		}
		floor = one.floor
	}
	return floor
}

// end takes the batch from the list.
func (b *batch) end() {
	b.floor.Store(max(b.floor.Load(), b.floorOf()))
	for i, one := range b.list {
		one.seen = slices.DeleteFunc(one.seen, func(s *seen) bool {
			isFolded := b.has(i, s)
			if isFolded {
				one.bytes, b.bytes = one.bytes-s.size, b.bytes-s.size
				b.unfolded.folded.Add(1)
			}
			return isFolded
		})
	}
	done := slices.IndexFunc(b.list, func(one *seenMessage) bool { return len(one.seen) > 0 })
	if done < 0 {
		done = len(b.list)
	}
	b.list = slices.Delete(b.list, 0, done)
	if len(b.list) == 0 && len(b.lastK) > maxIncarnations {
		clear(b.lastK) // all of it is in the store now
		clear(b.reached)
	}
	for _, task := range b.tasks {
		if task.done != nil {
			task.done <- struct{}{}
		}
	}
}

// ordered returns the sightings in the order in which they are folded, with what only
// the leader knows of them.
func (b *batch) ordered() []*seen {
	var all []*seen
	for s := range b.sightings() {
		s.at = s.raw
		all = append(all, s)
	}
	all = sequence(all)
	b.leave()
	places := map[uint64]int{}
	for i, s := range all {
		if s.Observation != nil {
			places[s.Observation.Ticket] = i
		}
	}
	for i, s := range all {
		if s.Newcomer != "" {
			b.newcomers.Add(s.Newcomer)
		}
		if s.Observation != nil {
			s.Observation = b.completed(all, places, i)
		}
	}
	return all
}

// completed returns an observation with what only the leader knows of it.
func (b *batch) completed(all []*seen, places map[uint64]int, i int) *rules.Observation {
	s, o := all[i], *all[i].Observation
	if o.Kind == rules.PageShown {
		o.Alone = o.Alone && b.isAlone(all, i)
	}
	if o.Kind.Moves() {
		o.InFlight, o.InFlightItems = b.inFlight(all, places, i)
	}
	o.Order, o.Began = s.at, s.Began
	o.Begins = b.newcomers.Take(o.Journey.Participant)
	return &o
}
