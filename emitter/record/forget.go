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
	// Journeys, and the Answers in them.
	Journeys int `json:"journeys"`
	Answers  int `json:"answers"`
	// Deliveries that were Pending, Dead or Delivered.
	Pending   int `json:"pending"`
	Dead      int `json:"dead"`
	Delivered int `json:"delivered"`
}

// forgetting is the erasure of one participant.
type forgetting struct {
	*Recorder
	participant string
	// surveys are the names of the surveys to erase, nil for all.
	surveys map[string]bool
	// journeys are those to erase.
	journeys map[rules.Key]bool
	erased   Forgotten
}

// Forget erases what is stored about a participant: journeys, answers, and deliveries
// in any state. survey limits it to one survey, named as its deliveries name it or
// by survey/instance; it is empty for all. What deleted records have left in the
// state file is overwritten.
//
// Exchanges in flight are not recorded. A participant who goes on with the survey
// begins a new journey, whose events have new ids. An attempt in flight cannot be
// cancelled. Forget logs nothing.
func (r *Recorder) Forget(ctx context.Context, participant, survey string) (Forgotten, error) {
	f := &forgetting{Recorder: r, participant: participant, journeys: map[rules.Key]bool{}}
	if survey != "" {
		f.surveys = map[string]bool{survey: true}
	}
	if err := f.foldAll(ctx); err != nil {
		return f.erased, err
	}
	if err := f.eraseJourneys(ctx); err != nil {
		return f.erased, err
	}
	if err := f.eraseDeliveries(ctx); err != nil {
		return f.erased, err
	}
	if err := f.dropSeen(ctx); err != nil {
		return f.erased, err
	}
	return f.erased, r.store.Scrub(ctx)
}

// foldAll returns once the exchanges that have ended are in the state file.
func (f *forgetting) foldAll(ctx context.Context) error {
	if f.replicas != nil {
		return f.await(ctx, func(*outbox.Tx, *batch) {})
	}
	return f.store.Do(ctx, func(*outbox.Tx) {})
}

// eraseJourneys erases the journeys while no exchange of theirs can end.
func (f *forgetting) eraseJourneys(ctx context.Context) error {
	keys, err := f.store.JourneyKeys("", rules.Key{Participant: f.participant}.Text())
	if err != nil {
		return err
	}
	names, err := f.names()
	if err != nil {
		return err
	}
	// Nobody can say whose the damaged records were.
	if err := f.store.Do(ctx, (*outbox.Tx).EraseDamaged); err != nil {
		return err
	}
	for step := range slices.Chunk(keys, forgetStep) {
		if err := f.store.Do(ctx, func(tx *outbox.Tx) { f.choose(tx, step) }); err != nil {
			return err
		}
	}
	for step := range slices.Chunk(names, forgetStep) {
		if err := f.store.Do(ctx, func(tx *outbox.Tx) { f.chooseNames(tx, step) }); err != nil {
			return err
		}
	}
	if f.replicas != nil {
		return f.eraseEverywhere(ctx)
	}
	var done <-chan struct{}
	isErased := func(key rules.Key) bool { return f.surveys == nil || f.journeys[key] }
	f.flights.forget(f.participant, isErased, func() { done, _ = f.store.Submit(0, f.dropJourneys) })
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

// choose finds the journeys of the surveys to erase, and the names that these
// surveys have in deliveries.
func (f *forgetting) choose(tx *outbox.Tx, keys []string) {
	for _, text := range keys {
		key := rules.ParseKey(text)
		if key.Participant != f.participant { // an id with a zero byte before this one
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

// names returns the names of all participants, where all surveys are to be erased: in
// the others a participant is still known by theirs.
func (f *forgetting) names() (list []string, err error) {
	if f.surveys != nil {
		return nil, nil
	}
	for _, prefix := range rules.NamePrefixes() {
		some, err := f.store.JourneyKeys(prefix, "")
		if err != nil {
			return nil, err
		}
		list = append(list, some...)
	}
	return list, nil
}

// chooseNames finds the names that lead to the participant.
func (f *forgetting) chooseNames(tx *outbox.Tx, keys []string) {
	for _, text := range keys {
		key := rules.ParseKey(text)
		if found, _ := f.foldIn(tx).Find(key); found.Participant == f.participant {
			f.journeys[key] = true
		}
	}
}

func (f *forgetting) dropJourneys(tx *outbox.Tx) {
	f.erased = Forgotten{}
	for _, key := range slices.SortedFunc(maps.Keys(f.journeys), compareKeys) {
		own, journey := f.foldIn(tx).Find(key)
		if !tx.DropJourney(key.Text()) {
			continue
		}
		if key.IsName() {
			continue
		}
		f.waiting.note(tx, key, 0)
		f.erased.Journeys++
		if own == key {
			f.erased.Answers += journey.KnownAnswers
		}
	}
	tx.DrawEpoch()
}

// eraseDeliveries erases the participant's deliveries of the surveys.
func (f *forgetting) eraseDeliveries(ctx context.Context) error {
	for after := uint64(0); ; {
		found, rest, err := f.store.Owned(f.participant, after)
		if err != nil {
			return err
		}
		chosen := slices.DeleteFunc(found, func(d *outbox.Delivery) bool { return f.surveys != nil && !f.surveys[d.Survey] })
		for step := range slices.Chunk(chosen, forgetStep) {
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

func compareKeys(a, b rules.Key) int { return strings.Compare(a.Text(), b.Text()) }
