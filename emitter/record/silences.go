package record

import (
	"context"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/rules"
)

// silenceStep is how many silences one commit notes, so that none takes long.
const silenceStep = 64

// runSilences notes once a minute who has been silent for long enough, until ctx ends.
// The ticker has the monotonic clock, which nobody sets, and it does not catch up on
// minutes in which the process was stopped.
func (r *Recorder) runSilences(ctx context.Context) {
	minutes := time.NewTicker(time.Minute)
	defer minutes.Stop()
	for {
		select {
		case <-minutes.C:
			r.passMinute(ctx)
		case <-ctx.Done():
			return
		}
	}
}

// passMinute begins another minute, and notes the silences that are due in it.
func (r *Recorder) passMinute(ctx context.Context) {
	if r.store.Do(ctx, (*outbox.Tx).PassMinute) != nil {
		return
	}
	minutes := r.routing.Load().silence
	for after := ""; ctx.Err() == nil; {
		var keys []string
		var next string
		err := r.store.Do(ctx, func(tx *outbox.Tx) { keys, next = tx.Silent(minutes, after, silenceStep) })
		if err != nil || !r.noteSilences(ctx, keys, minutes) || next == "" {
			return
		}
		after = next
	}
}

// noteSilences notes the silences of journeys, and puts off those of participants with
// an exchange in flight. All exchanges that have ended are folded before that, and
// none of theirs has begun. It returns false if ctx has ended or the store takes no more:
// the rest waits for the next minute.
func (r *Recorder) noteSilences(ctx context.Context, keys []string, minutes int) bool {
	if len(keys) == 0 {
		return true
	}
	if r.replicas != nil {
		return r.noteSilencesOfAll(ctx, parseKeys(keys), minutes)
	}
	var done <-chan struct{}
	r.flights.sort(parseKeys(keys), func(flying, others []rules.Key) {
		done, _ = r.store.Submit(0, func(tx *outbox.Tx) {
			for _, key := range flying {
				tx.PutOffSilence(key.Text(), minutes)
			}
			for _, key := range others {
				r.noteSilence(tx, key, minutes)
			}
		})
	})
	if done == nil {
		return false
	}
	return isMade(ctx, done)
}

// noteSilencesOfAll is noteSilences with several replicas: what all of them saw is folded
// before. Where one of them did not say, the silences are put off.
func (r *Recorder) noteSilencesOfAll(ctx context.Context, keys []rules.Key, minutes int) bool {
	done := make(chan struct{}, 1)
	task := foldTask{participants: participantsOf(keys), done: done, apply: func(tx *outbox.Tx, b *batch) {
		for _, key := range keys {
			if b.isSilent(key.Participant) {
				r.noteSilence(tx, key, minutes)
			} else {
				tx.PutOffSilence(key.Text(), minutes)
			}
		}
	}}
	if !r.whenFolded(ctx, task) {
		return false
	}
	return isMade(ctx, done)
}

// isMade waits until a change is made, and reports whether that was before ctx ended.
func isMade(ctx context.Context, done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	case <-ctx.Done():
		return false
	}
}

// noteSilence notes the silence of a journey, unless something was heard meanwhile.
func (r *Recorder) noteSilence(tx *outbox.Tx, key rules.Key, minutes int) {
	last, isSilent := tx.SilentSince(key.Text(), minutes)
	if !isSilent {
		return
	}
	now := r.now()
	step := r.foldIn(tx).Silence(key, last, now)
	if !step.IsSilence { // it settles or joins
		tx.PutOffSilence(key.Text(), minutes)
	}
	r.carryOut(tx, now, step)
}

func parseKeys(texts []string) []rules.Key {
	keys := make([]rules.Key, len(texts))
	for i, text := range texts {
		keys[i] = rules.ParseKey(text)
	}
	return keys
}
