package record

import (
	"context"
	"encoding/json"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/rules"
)

const (
	// forgetTimeout is how long the leader waits for replicas to forget until it asks again.
	forgetTimeout = 5 * time.Second
	// floorPause is how often it looks how far everything is folded.
	floorPause = 20 * time.Millisecond
	// forgottenFor is how long what comes of a forgotten participant is dropped if it is
	// from before, where journeys are kept for good.
	forgottenFor = 90 * 24 * time.Hour
)

// forgetQuestion asks to forget a participant: their exchanges in flight, and what
// waits on disk.
type forgetQuestion struct {
	Participant []byte
	// Journeys are the journeyDigests of those to forget, nil for all.
	Journeys []uint64
}

// forgetAnswer says that a replica has.
type forgetAnswer struct{ Incarnation string }

// answerForget forgets a participant at this replica. It returns nil if it could not.
// What waits on disk of some journeys alone has been folded before.
func (r *Recorder) answerForget(ctx context.Context, question []byte) []byte {
	var q forgetQuestion
	if json.Unmarshal(question, &q) != nil {
		return nil
	}
	asked := map[uint64]bool{}
	for _, journey := range q.Journeys {
		asked[journey] = true
	}
	participant := string(q.Participant)
	r.flights.forget(participant, func(key rules.Key) bool { return q.Journeys == nil || asked[journeyDigest(key)] }, func() {})
	if q.Journeys == nil {
		ctx, cancel := context.WithTimeout(ctx, forgetTimeout)
		defer cancel()
		if r.replicas.Seer.ForgetSpilled(ctx, participant) != nil {
			return nil
		}
	}
	answer, err := json.Marshal(forgetAnswer{Incarnation: r.replicas.Seer.Incarnation()})
	if err != nil {
		return nil
	}
	return answer
}

// eraseEverywhere has all replicas forget, and erases the journeys once all is folded
// that was on its way. What a replica that is away has on its disk is dropped when it comes.
func (f *forgetting) eraseEverywhere(ctx context.Context) error {
	q := forgetQuestion{Participant: []byte(f.participant)}
	if f.surveys != nil {
		q.Journeys = []uint64{}
		for key := range f.journeys {
			q.Journeys = append(q.Journeys, journeyDigest(key))
		}
	}
	question, err := json.Marshal(q)
	if err != nil {
		return err
	}
	if err := f.askAll(ctx, question); err != nil {
		return err
	}
	return f.await(ctx, func(tx *outbox.Tx, b *batch) {
		f.noteForgotten(tx, b)
		f.dropJourneys(tx)
	})
}

// askAll asks the replicas to forget until all have that were heard of lately.
func (f *forgetting) askAll(ctx context.Context, question []byte) error {
	answered := map[string]bool{}
	isDone := func() bool {
		return f.haveAnswered(func(incarnation string) bool { return answered[incarnation] })
	}
	for !isDone() {
		asking, cancel := context.WithTimeout(ctx, forgetTimeout)
		_ = f.replicas.Link.Ask(asking, topicForget, question, func(answer []byte) bool {
			var a forgetAnswer
			if json.Unmarshal(answer, &a) == nil {
				answered[a.Incarnation] = true
			}
			return !isDone()
		})
		cancel()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		sleep(ctx, askPause)
	}
	return nil
}

// await calls apply once everything is folded that the participant did before.
func (f *forgetting) await(ctx context.Context, apply func(*outbox.Tx, *batch)) error {
	if !f.store.Leads() {
		return outbox.ErrFollows
	}
	done := make(chan struct{}, 1)
	if !f.whenFolded(ctx, foldTask{participants: []string{f.participant}, apply: apply, done: done}) {
		return ctx.Err()
	}
	for {
		select {
		case <-done:
			return nil
		case <-time.After(time.Second):
			if !f.store.Leads() {
				return outbox.ErrFollows
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// noteForgotten has what comes of the participant later dropped if it is from before.
func (f *forgetting) noteForgotten(tx *outbox.Tx, b *batch) {
	at := b.now()
	until := at.Add(f.forgottenFor)
	if f.surveys == nil {
		tx.NoteForgotten(participantName(f.participant), at, until)
		return
	}
	for key := range f.journeys {
		tx.NoteForgotten(key.Text(), at, until)
	}
}

// participantName is the name under which a participant is forgotten as a whole, which
// is that of no journey.
func participantName(participant string) string { return rules.Key{Participant: participant}.Text() }

// isForgotten reports whether an exchange began before its participant was forgotten.
func (b *batch) isForgotten(tx *outbox.Tx, s *seen) bool {
	if !tx.AreForgotten() {
		return false
	}
	began := s.Began
	for _, name := range []string{participantName(s.participant), s.Observation.Journey.Text()} {
		if at, ok := tx.Forgotten(name); ok && began.Before(at) {
			return true
		}
	}
	return false
}

// dropSeen drops what was seen of the participant once it is folded.
func (f *forgetting) dropSeen(ctx context.Context) error {
	if f.replicas == nil {
		return nil
	}
	last, err := f.replicas.Link.LastSeen(ctx)
	for err == nil && f.floor.Load() < last {
		sleep(ctx, floorPause)
		if err = ctx.Err(); err == nil && !f.store.Leads() {
			err = outbox.ErrFollows
		}
	}
	if err != nil {
		return err
	}
	return f.replicas.Link.DropSeen(ctx, last)
}
