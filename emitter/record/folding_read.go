package record

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/emitter/replica"
)

const (
	// readAhead is how many messages wait to be folded beside those that are.
	readAhead = 16
	// seenOverhead is about what a sighting takes in memory beside its data, in bytes.
	seenOverhead = 512
	// readPause is how long the leader waits before it reads again after a failure.
	readPause = time.Second
)

// errNewerSeen ends the reading of what a newer release has written.
var errNewerSeen = errors.New("a replica of a newer release has written it")

// seenMessage is what was seen with one message.
type seenMessage struct {
	number uint64
	from   string
	// floor is up to which message nothing is missing once this one is folded.
	floor uint64
	// seen has what is not folded yet, with a size in bytes.
	seen  []*seen
	bytes int
	// isLast is set if from has ended, and left nothing behind.
	isLast bool
}

// begin returns after which message there is something to fold. Servers that have lost
// what was seen count anew; what is read again is known by its incarnation and k.
func (f *folding) begin(ctx context.Context) (after uint64, err error) {
	var heard []byte
	if err := f.store.Do(ctx, func(tx *outbox.Tx) { after, heard = tx.Seen(), tx.Heard() }); err != nil {
		return 0, err
	}
	f.expectHeard(heard)
	asking, cancel := context.WithTimeout(ctx, dropTimeout)
	defer cancel()
	last, err := f.replicas.Link.LastSeen(asking)
	if err != nil {
		return 0, err
	}
	if isLost := f.isSeenLost.Swap(false) || last < after; !isLost {
		return after, nil
	}
	f.log.Error("the servers of the replicas have lost what was seen and not folded: its events come with the next page shown, or are lost")
	return 0, f.store.Do(ctx, func(tx *outbox.Tx) { tx.SetSeen(0) })
}

// read reads what was seen after a number, until ctx ends or the servers have lost it.
func (f *folding) read(ctx context.Context, after uint64) {
	for ctx.Err() == nil {
		var assembler replica.Assembler
		err := f.replicas.Link.Seen(ctx, after, func(number uint64, data []byte) error {
			one, err := f.parse(&assembler, number, data)
			if err != nil {
				return err
			}
			select {
			case f.messages <- one:
				after = one.floor // of parts, all are read again
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
		if errors.Is(err, outbox.ErrGone) {
			f.isSeenLost.Store(true)
			return
		}
		if ctx.Err() == nil && isDue(&f.warnUnread) {
			f.log.Error("cannot read what the replicas saw: events wait", "error", err)
		}
		sleep(ctx, readPause)
	}
}

// parse reads a message. What is damaged is passed over.
func (f *folding) parse(assembler *replica.Assembler, number uint64, data []byte) (*seenMessage, error) {
	from, sightings, isLast, err := assembler.Add(number, bytes.Clone(data))
	if errors.Is(err, replica.ErrNewer) {
		return nil, errNewerSeen
	} else if err != nil {
		f.noteUnreadable(err)
	}
	one := &seenMessage{number: number, from: from, floor: assembler.Floor(number), isLast: isLast}
	for i := range sightings {
		s := &sightings[i]
		decoded, err := decodeSighting(s.Participant, s.Data)
		if errors.Is(err, errNewerSighting) {
			return nil, errNewerSeen
		} else if err != nil {
			f.noteUnreadable(err)
		}
		decoded.move(s.Shift)
		one.seen = append(one.seen, &seen{
			sighting: decoded, from: from, k: s.K, number: number, participant: s.Participant, size: seenOverhead + len(s.Data), raw: s.At,
		})
	}
	return one, nil
}

func (f *folding) noteUnreadable(err error) {
	f.unfolded.unreadable.Inc()
	if isDue(&f.warnDamagedSeen) {
		f.log.Error("cannot read what a replica saw: its events are lost", "error", err)
	}
}

// receive adds a message to those that were read. What comes again is passed over.
func (f *folding) receive(one *seenMessage) {
	kept := one.seen[:0]
	for _, s := range one.seen {
		if s.k <= f.lastK[s.from] {
			continue
		}
		if s.raw.After(f.reached[s.from]) {
			f.reached[s.from] = s.raw
		}
		f.lastK[s.from], s.reached = s.k, f.reached[s.from]
		kept, one.bytes = append(kept, s), one.bytes+s.size
	}
	if one.isLast {
		f.replicas.Roster.Leave(one.from)
	}
	one.seen = kept
	f.list, f.bytes, f.last = append(f.list, one), f.bytes+one.bytes, one.number
}

// receiveAll takes what was read meanwhile, without waiting. More than can be folded
// together is only read where it is waited for.
func (f *folding) receiveAll() {
	for f.bytes < maxWhole {
		select {
		case one := <-f.messages:
			f.receive(one)
		default:
			return
		}
	}
}

// knowAll finds out which sightings of some incarnations are folded, if none of them
// was read yet.
func (f *folding) knowAll(ctx context.Context, incarnations []string) error {
	var unknown []string
	for _, incarnation := range incarnations {
		if _, isKnown := f.lastK[incarnation]; !isKnown {
			unknown = append(unknown, incarnation)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	var known []uint64
	err := f.store.Do(ctx, func(tx *outbox.Tx) {
		known = known[:0]
		for _, incarnation := range unknown {
			known = append(known, tx.SeenFrom(incarnation))
		}
	})
	for i, k := range known {
		f.lastK[unknown[i]] = max(k, f.lastK[unknown[i]])
	}
	return err
}
