package record

import (
	"slices"
	"time"

	"github.com/sidehook/sidehook/rules"
)

// The bounds of the exchanges that are remembered after their end.
const (
	// memoryTime is for how long: what the leader reads later is late in any case.
	memoryTime = 30 * time.Second
	// maxMemories bounds them all, maxMemoriesOfOne those of a participant, in bytes.
	maxMemories      = 16 << 20
	maxMemoriesOfOne = 8 << 10
	// memoryOverhead is what an exchange takes beside its texts.
	memoryOverhead = 160
)

// memories are the exchanges of participants that have ended lately. Other replicas
// have others of the same participants, and it matters which of them overlapped. They
// are guarded by the lock of the flights.
type memories struct {
	started time.Time
	// since is from when on nothing has been left out.
	since         time.Time
	byParticipant map[string]*memoriesOfOne
	// ended has all of them, the first to end first.
	ended []*remembered
	bytes int
}

// memoriesOfOne are those of one participant, the first to end first.
type memoriesOfOne struct {
	since time.Time
	// order is the latest that inOrder has returned.
	order time.Time
	ended []*remembered
	bytes int
}

// remembered is an exchange that has ended. Its times are of the monotonic clock.
type remembered struct {
	participant  string
	ticket       uint64
	kind         rules.Kind
	journey      rules.Key
	item         string
	began, ended time.Time
	isForgotten  bool
}

func (m *remembered) size() int {
	return memoryOverhead + len(m.participant) + len(m.journey.Instance) + len(m.item)
}

func newMemories() *memories {
	now := time.Now()
	return &memories{started: now, since: now, byParticipant: map[string]*memoriesOfOne{}}
}

// memoryOf returns an exchange, with no end as long as it is in flight.
func memoryOf(f *flight, ended time.Time) *remembered {
	return &remembered{
		participant: f.match.Participant(), ticket: f.ticket, kind: f.match.Kind(), journey: f.match.Journey(), item: f.match.Item(),
		began: f.began, ended: ended,
	}
}

// add remembers an exchange that ends now. One whose ids alone pass the bound of its
// participant says nothing: there is no observation with ids that long.
func (m *memories) add(one *remembered) {
	if one.participant == "" || one.size() > maxMemoriesOfOne {
		return
	}
	m.expire(one.ended)
	of := m.of(one.participant)
	of.ended, m.ended = append(of.ended, one), append(m.ended, one)
	of.bytes, m.bytes = of.bytes+one.size(), m.bytes+one.size()
	for of.bytes > maxMemoriesOfOne {
		of.since = of.ended[0].ended
		m.forget(of.ended[0])
	}
	for m.bytes > maxMemories {
		m.since = m.ended[0].ended
		m.dropFirst()
	}
}

// inOrder returns when the app had responded in an exchange of a participant that ends
// now, but not before that of the one that ended last: navigations take turns.
func (m *memories) inOrder(participant string, at time.Time) time.Time {
	if participant == "" {
		return at
	}
	of := m.of(participant)
	if at.After(of.order) {
		of.order = at
	}
	return of.order
}

// expire forgets what ended more than memoryTime ago.
func (m *memories) expire(now time.Time) {
	for len(m.ended) > 0 && now.Sub(m.ended[0].ended) > memoryTime {
		m.dropFirst()
	}
	if from := now.Add(-memoryTime); m.since.Before(from) {
		m.since = from
	}
}

func (m *memories) dropFirst() {
	m.bytes -= m.ended[0].size()
	m.forget(m.ended[0])
	m.ended = m.ended[1:]
}

// forget removes an exchange from those of its participant. It counts among all of them
// until its time is over.
func (m *memories) forget(one *remembered) {
	if one.isForgotten {
		return
	}
	one.isForgotten = true
	of := m.byParticipant[one.participant]
	of.bytes -= one.size()
	if of.ended = slices.DeleteFunc(of.ended, func(other *remembered) bool { return other == one }); len(of.ended) == 0 {
		delete(m.byParticipant, one.participant)
	}
}

// of returns what is remembered of a participant whose exchange ends now.
func (m *memories) of(participant string) *memoriesOfOne {
	of := m.byParticipant[participant]
	if of == nil {
		of = &memoriesOfOne{}
		m.byParticipant[participant] = of
	}
	return of
}

// get returns the exchanges of a participant, and from when on none is missing.
func (m *memories) get(participant string) (ended []*remembered, since time.Time) {
	since = m.since
	if of := m.byParticipant[participant]; of != nil {
		ended = of.ended
		if of.since.After(since) {
			since = of.since
		}
	}
	return ended, since
}
