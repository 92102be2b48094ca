package record

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/rules"
)

// forgetStep is how many records one commit erases, so that none takes long.
const forgetStep = 256

// Forgotten counts what was erased of a participant.
type Forgotten struct {
	// Journeys, with so many Answers.
	Journeys int `json:"journeys"`
	Answers  int `json:"answers"`
	// Pending, Dead and Delivered deliveries.
	Pending   int `json:"pending"`
	Dead      int `json:"dead"`
	Delivered int `json:"delivered"`
}

// forgetting is the erasure of one participant.
type forgetting struct {
	*Recorder
	participant string
	// surveys are the names of the surveys that are meant, nil for all.
	surveys map[string]bool
	// journeys are those that are meant, as far as they are known.
	journeys map[rules.Key]bool
	erased   Forgotten
}

// Forget erases what is stored of a participant: journeys, answers, and
// deliveries in any state, of one survey (named as deliveries name it, or by
// survey/instance) or of all of them where survey is empty. What deleted
// records have left in the state file is overwritten.
//
// An exchange in flight is not recorded. Whoever goes on with the survey after
// that begins a new journey, whose events have new ids. An attempt that is
// under way can't be called back. Nothing of it is logged.
func (r *Recorder) Forget(ctx context.Context, participant, survey string) (Forgotten, error) {
	f := &forgetting{Recorder: r, participant: participant, journeys: map[rules.Key]bool{}}
	if survey != "" {
		f.surveys = map[string]bool{survey: true}
	}
	// Exchanges that have ended are to be found.
	if err := r.store.Do(ctx, func(*outbox.Tx) {}); err != nil {
		return f.erased, err
	}
	if err := f.eraseJourneys(ctx); err != nil {
		return f.erased, err
	}
	if err := f.eraseDeliveries(ctx); err != nil {
		return f.erased, err
	}
	return f.erased, r.store.Scrub(ctx)
}

// eraseJourneys erases the journeys that are meant, at a moment when no exchange
// of theirs can end.
func (f *forgetting) eraseJourneys(ctx context.Context) error {
	keys, err := f.store.JourneyKeys(rules.Key{Participant: f.participant}.Bytes())
	if err != nil {
		return err
	}
	for step := range slices.Chunk(keys, forgetStep) {
		if err := f.store.Do(ctx, func(tx *outbox.Tx) { f.choose(tx, step) }); err != nil {
			return err
		}
	}
	var done <-chan struct{}
	isMeant := func(key rules.Key) bool { return f.surveys == nil || f.journeys[key] }
	f.flights.forget(f.participant, isMeant, func() { done, _ = f.store.Submit(0, f.dropJourneys) })
	if done == nil {
		return outbox.ErrClosed
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// choose finds out which journeys are of the surveys that are meant, and what
// their deliveries call those.
func (f *forgetting) choose(tx *outbox.Tx, keys []string) {
	for _, text := range keys {
		key := rules.ParseKey(text)
		if key.Participant != f.participant { // it has a zero byte before
			continue
		}
		own, journey := f.foldIn(tx).Find(key)
		survey := &rules.Survey{ID: journey.Survey, Instance: own.Instance, FriendlyID: journey.FriendlyID}
		names := []string{survey.ID + "/" + survey.Instance, surveyName(survey)}
		if f.surveys == nil || f.surveys[names[0]] || f.surveys[names[1]] {
			f.journeys[key] = true
		}
		if f.surveys != nil && f.journeys[key] {
			f.surveys[names[1]] = true
		}
	}
}

func (f *forgetting) dropJourneys(tx *outbox.Tx) {
	f.erased = Forgotten{}
	for _, key := range slices.SortedFunc(maps.Keys(f.journeys), compareKeys) {
		answers := len(journeys{f.Recorder, tx}.Load(key).Answers)
		if tx.DropJourney(key.Bytes()) {
			f.erased.Journeys++
			f.erased.Answers += answers
		}
	}
	tx.DrawEpoch()
}

// eraseDeliveries goes through all deliveries, whatever their state.
func (f *forgetting) eraseDeliveries(ctx context.Context) error {
	for after := uint64(0); ; {
		found, rest, err := f.store.Owned(f.participant, after)
		if err != nil {
			return err
		}
		meant := slices.DeleteFunc(found, func(d *outbox.Delivery) bool { return f.surveys != nil && !f.surveys[d.Survey] })
		for step := range slices.Chunk(meant, forgetStep) {
			if err := f.discard(ctx, step); err != nil {
				return err
			}
		}
		if after = rest; rest == 0 {
			return nil
		}
	}
}

func (f *forgetting) discard(ctx context.Context, step []*outbox.Delivery) error {
	var erased Forgotten
	err := f.store.Do(ctx, func(tx *outbox.Tx) {
		erased = f.erased
		for _, d := range step {
			if !tx.Discard(d.Seq) {
				continue
			}
			switch d.State {
			case outbox.Dead:
				erased.Dead++
			case outbox.Delivered:
				erased.Delivered++
			case outbox.Waiting, outbox.Behind:
				erased.Pending++
			}
		}
	})
	if err == nil {
		f.erased = erased
	}
	return err
}

func compareKeys(a, b rules.Key) int { return strings.Compare(a.Bytes(), b.Bytes()) }
