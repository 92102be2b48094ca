package record

import (
	"context"
	"encoding/json"
	"hash/fnv"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/sidehook/sidehook/rules"
)

const (
	// answerPause is how long a replica that cannot hear questions waits before it tries again.
	answerPause = 100 * time.Millisecond
	// maxAnswerOfOne bounds what is answered about one participant, in bytes.
	maxAnswerOfOne = 2 * maxMemoriesOfOne
	// exchangeOverhead is about what an exchange takes in an answer beside its item.
	exchangeOverhead = 200
)

// orderQuestion asks about participants, whose ids may be any bytes.
type orderQuestion struct {
	Participants [][]byte
	// AwaitsAnswers reports whether an event may wait for the answers in flight, so that
	// each of these has to say that it has ended.
	AwaitsAnswers bool
}

// orderAnswer is what one replica knows of them, in the order of the question.
type orderAnswer struct {
	Incarnation string
	// Now is the time by the clock of the replica.
	Now time.Time
	// Started is for how long it has been answering.
	Started time.Duration
	Queues  []knownQueue
	// Known is what is in flight, and what has ended lately.
	Known []knownExchanges
}

// knownQueue is how far the sightings of an incarnation at the replica are.
type knownQueue struct {
	Incarnation string
	// Acked is up to which number they are in what was seen, and Pending the last
	// number of one of the participants that is not; 0 for none.
	Acked, Pending uint64
}

// knownExchanges are those of one participant.
type knownExchanges struct {
	// Since is for how long none is missing of those that have ended.
	Since     time.Duration
	Exchanges []knownExchange `json:",omitempty"`
}

// knownExchange is an exchange at one replica.
type knownExchange struct {
	Ticket uint64
	Kind   rules.Kind
	// Journey is the journeyDigest of that in its path.
	Journey uint64
	Item    string `json:",omitempty"`
	// Began and Ended are how long ago that was; Ended is 0 while IsInFlight.
	Began, Ended time.Duration
	IsInFlight   bool `json:",omitempty"`
}

// Answer answers what the leader asks, until ctx ends. Every replica answers, whoever
// leads. It returns at once where there is only one.
func (r *Recorder) Answer(ctx context.Context) {
	if r.replicas == nil {
		return
	}
	var running sync.WaitGroup
	defer running.Wait()
	running.Go(func() {
		r.answer(ctx, topicForget, func(question []byte) []byte { return r.answerForget(ctx, question) })
	})
	r.answer(ctx, topicOrder, r.answerOrder)
}

func (r *Recorder) answer(ctx context.Context, topic string, fn func(question []byte) []byte) {
	unheard := rate.Sometimes{Interval: time.Minute}
	for ctx.Err() == nil {
		if err := r.replicas.Link.Answer(ctx, topic, fn); err != nil && ctx.Err() == nil && isDue(&unheard) {
			r.log.Error("cannot hear what the leader asks: events wait for this replica", "error", err)
		}
		sleep(ctx, answerPause)
	}
}

// answerOrder answers a question of topicOrder, nil for one that cannot be read. What
// is in flight is found out first: what ends meanwhile is then among the unseen.
func (r *Recorder) answerOrder(question []byte) []byte {
	var q orderQuestion
	if json.Unmarshal(question, &q) != nil {
		return nil
	}
	asked := make([]string, 0, len(q.Participants))
	a := orderAnswer{Incarnation: r.replicas.Seer.Incarnation(), Known: make([]knownExchanges, len(q.Participants))}
	r.flights.mu.Lock()
	now := time.Now()
	a.Started = now.Sub(r.flights.memories.started)
	r.flights.memories.expire(now)
	for i, participant := range q.Participants {
		asked = append(asked, string(participant))
		a.Known[i] = r.flights.known(asked[i], now, q.AwaitsAnswers)
	}
	r.flights.mu.Unlock()
	for _, q := range r.replicas.Seer.Unseen(asked) {
		known := knownQueue{Incarnation: q.Incarnation, Acked: q.Acked}
		for _, k := range q.Pending {
			known.Pending = max(known.Pending, k)
		}
		a.Queues = append(a.Queues, known)
	}
	a.Now = r.now().Add(-time.Since(now))
	answer, err := json.Marshal(a)
	if err != nil {
		return nil
	}
	return answer
}

// known returns the exchanges of a participant. If an event may wait for the answers
// in flight, each of these will say that it has ended. The lock is held.
func (f *flights) known(participant string, now time.Time, awaitsAnswers bool) (k knownExchanges) {
	ended, since := f.memories.get(participant)
	k.Since = now.Sub(since)
	size := 0
	add := func(m *remembered) (fits bool) {
		if size += exchangeOverhead + len(m.item); size > maxAnswerOfOne {
			k.Since = 0
			return false
		}
		one := knownExchange{
			Ticket: m.ticket, Kind: m.kind, Journey: journeyDigest(m.journey), Item: m.item, Began: now.Sub(m.began),
			IsInFlight: m.ended.IsZero(),
		}
		if !one.IsInFlight {
			one.Ended = now.Sub(m.ended)
		}
		k.Exchanges = append(k.Exchanges, one)
		return true
	}
	for _, one := range f.byParticipant[participant] {
		if !add(memoryOf(one, time.Time{})) {
			return k
		}
		if awaitsAnswers && one.match.Kind() == rules.Answered {
			one.enter(flightAwaited)
		}
	}
	for i := len(ended) - 1; i >= 0 && add(ended[i]); i-- {
	}
	return k
}

// journeyDigest stands for a journey in answers.
func journeyDigest(key rules.Key) uint64 {
	h := fnv.New64a()
	h.Write([]byte(key.Text()))
	return h.Sum64()
}

// sleep waits for a while, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
