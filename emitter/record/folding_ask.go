package record

import (
	"context"
	"encoding/json"
	"iter"
	"slices"
	"time"
)

const (
	// askTimeout is how long the leader waits for answers until it asks again.
	askTimeout = 250 * time.Millisecond
	// askPause is how long it waits in between.
	askPause = 20 * time.Millisecond
	// readLimit is how long it waits for what the answers have announced until it asks
	// again: who announced it may be gone.
	readLimit = 100 * time.Millisecond
	// neverComes is how long a batch waits at least for what is not among all that the
	// servers say they have: one that stood still, or was cut off, does not know yet that
	// others went on.
	neverComes = 10 * time.Second
	// gatherLimit is how long a batch waits for others at most. Replicas that are gone
	// leave the roster before: it is longer than replica.Presence.
	gatherLimit = 40 * time.Second
	// maxQuestion bounds a question in bytes.
	maxQuestion = 64 << 10
	// goodClock is how well the clock of a replica should be known to say whether a page
	// was shown alone, and maxMeasures how often it is measured for that at most.
	goodClock   = 3 * time.Millisecond
	maxMeasures = 4
	// answerPerOne is how long an answer about one participant may be once it is encoded.
	answerPerOne = 2 * maxAnswerOfOne
)

// replyFrom is an answer, and when it was made by the leader's clock.
type replyFrom struct {
	orderAnswer
	made   time.Time
	unsure time.Duration
}

// questions divides participants so that question and answers fit into messages.
func (b *batch) questions(participants []string) iter.Seq[[]string] {
	most := max(b.replicas.Link.MaxMessage()/answerPerOne-1, 1)
	return func(yield func([]string) bool) {
		for len(participants) > 0 {
			n, bytes := 0, 0
			for n < len(participants) && n < most && (n == 0 || bytes < maxQuestion) {
				bytes += 2 * len(participants[n])
				n++
			}
			if !yield(participants[:n]) {
				return
			}
			participants = participants[n:]
		}
	}
}

// askUntilRead asks the replicas about participants until all have answered and
// everything was read that is on its way. It goes on without a replica that has left
// the roster.
func (b *batch) askUntilRead(ctx context.Context, participants []string) error {
	for {
		if !b.replicas.Roster.IsKnown() {
			b.began = time.Now() // nobody can be heard, nor be late
		}
		asked := b.last
		replies, isComplete, err := b.ask(ctx, participants)
		if err != nil {
			return err
		}
		isRead := false
		if isComplete {
			if isRead, err = b.readTo(ctx, replies); err != nil {
				return err
			}
		}
		isGivenUp := time.Since(b.began) > gatherLimit || b.bytes >= maxUnfolded
		if isGivenUp && !isRead && isDue(&b.warnGivenUp) {
			b.log.Error("events are made though not everything was read that participants did before: some may have wrong pages, or lack answers",
				"waited", time.Since(b.began).Round(time.Second), "read_bytes", b.bytes, "unanswered", b.unanswered(replies))
		}
		if isRead || isGivenUp {
			b.learn(participants, replies, isRead, asked)
			return nil
		}
		if time.Since(b.began) > time.Second && isDue(&b.warnAbsent) {
			what := "events wait for replicas that do not answer"
			if isComplete {
				what = "events wait for what replicas have on their disks"
			}
			b.log.Warn(what, "waited", time.Since(b.began).Round(time.Second), "unanswered", b.unanswered(replies))
		}
		sleep(ctx, askPause)
		b.receiveAll()
	}
}

// ask asks all replicas once. It is complete if all that were heard of lately have answered.
func (b *batch) ask(ctx context.Context, participants []string) (replies []replyFrom, isComplete bool, err error) {
	q := orderQuestion{AwaitsAnswers: b.hasMoves()}
	for _, participant := range participants {
		q.Participants = append(q.Participants, []byte(participant))
	}
	question, err := json.Marshal(q)
	if err != nil {
		return nil, false, err
	}
	asking, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	sent := b.now()
	_ = b.replicas.Link.Ask(asking, topicOrder, question, func(answer []byte) bool {
		received := b.now()
		var reply replyFrom
		if json.Unmarshal(answer, &reply.orderAnswer) == nil && len(reply.Known) == len(participants) {
			b.clocks.measure(reply.Incarnation, reply.Now, sent, received)
			reply.made, reply.unsure = b.clocks.local(reply.Incarnation, reply.Now)
			replies = append(replies, reply)
		}
		return !b.isAnswered(replies)
	})
	return replies, b.isAnswered(replies), ctx.Err()
}

// isAnswered reports whether all have answered who must.
func (b *batch) isAnswered(replies []replyFrom) bool {
	return b.haveAnswered(func(incarnation string) bool {
		return slices.ContainsFunc(replies, func(r replyFrom) bool { return r.Incarnation == incarnation })
	})
}

// unanswered returns the names of the replicas that were heard of lately and have not
// answered.
func (b *batch) unanswered(replies []replyFrom) (names []string) {
	for _, member := range b.replicas.Roster.Present() {
		if !slices.ContainsFunc(replies, func(r replyFrom) bool { return r.Incarnation == member.Incarnation }) {
			names = append(names, member.Name)
		}
	}
	return names
}

// haveAnswered reports whether all replicas have answered that were heard of lately,
// this one included.
func (r *Recorder) haveAnswered(hasAnswered func(incarnation string) bool) bool {
	if !r.replicas.Roster.IsKnown() {
		return false
	}
	all := hasAnswered(r.replicas.Seer.Incarnation())
	for _, member := range r.replicas.Roster.Present() {
		all = hasAnswered(member.Incarnation) && all
	}
	return all
}

// readTo reads on until everything was read that the replies have announced. It
// returns false if that does not come soon.
func (b *batch) readTo(ctx context.Context, replies []replyFrom) (isRead bool, err error) {
	var incarnations []string
	for _, reply := range replies {
		for _, q := range reply.Queues {
			incarnations = append(incarnations, q.Incarnation)
		}
	}
	if err := b.knowAll(ctx, incarnations); err != nil {
		return false, err
	}
	limit := time.NewTimer(readLimit)
	defer limit.Stop()
	for b.receiveAll(); !b.hasRead(replies); b.receiveAll() {
		if b.bytes >= maxUnfolded {
			return b.isNarrow() && b.haveRead(replies, onItsWay, 0), nil
		}
		if b.bytes >= b.narrowAt {
			b.narrow()
			continue
		}
		select {
		case one := <-b.messages:
			b.receive(one)
		case <-limit.C:
			isLong := time.Since(b.began) >= neverComes
			return isLong && b.haveRead(replies, onItsWay, longExchange) && b.hasReadAll(ctx), ctx.Err()
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
	return true, nil
}

// hasRead reports whether everything was read that was on its way or has arrived.
func (b *batch) hasRead(replies []replyFrom) bool {
	return b.haveRead(replies, func(q knownQueue) uint64 { return max(q.Acked, q.Pending) }, longExchange)
}

// onItsWay is up to which sighting of a queue those are that were on their way.
func onItsWay(q knownQueue) uint64 { return q.Pending }

// haveRead reports whether of each queue everything was read up to a number, or up to a
// while after the horizon. A replica sends its queues one after the other.
func (b *batch) haveRead(replies []replyFrom, upTo func(knownQueue) uint64, while time.Duration) bool {
	for _, reply := range replies {
		for _, q := range reply.Queues {
			if b.isBeyond(q.Incarnation, while) {
				break
			}
			if b.lastK[q.Incarnation] < upTo(q) {
				return false
			}
		}
	}
	return true
}

// hasReadAll reports whether all messages were read. What a queue names as its last
// sighting may have been forgotten, and never comes.
func (b *batch) hasReadAll(ctx context.Context) bool {
	asking, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	last, err := b.replicas.Link.LastSeen(asking)
	return err == nil && max(b.last, b.floor.Load()) >= last
}

// learn notes what the replies say of participants. Who is asked again and again does not
// take more messages into the batch, unless it waits for clicks: it has to end.
func (b *batch) learn(participants []string, replies []replyFrom, isComplete bool, asked uint64) {
	var queues []knownQueue
	for _, reply := range replies {
		queues = append(queues, reply.Queues...)
	}
	for i, participant := range participants {
		s := &standing{isComplete: isComplete, asked: asked, rounds: 1, queues: queues}
		if before := b.known[participant]; before != nil {
			s.rounds += before.rounds
			isLong := s.rounds >= maxRounds || time.Since(b.began) >= roundsLimit
			if s.isCut = isLong && !time.Now().Before(b.clicksUntil); s.isCut {
				s.queues = before.queues
			}
		}
		for _, reply := range replies {
			s.views = append(s.views, view{incarnation: reply.Incarnation, made: reply.made, unsure: reply.unsure, started: reply.Started, knownExchanges: reply.Known[i]})
		}
		b.known[participant] = s
	}
}
