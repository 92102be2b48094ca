package record

import (
	"context"
	"encoding/binary"
	"hash/fnv"
	"time"

	"github.com/sidehook/sidehook/emitter/replica"
)

// The topics of what the leader asks.
const (
	// topicOrder: what is in flight of participants, and what is on its way.
	topicOrder = "order"
	// topicForget: to forget a participant.
	topicForget = "forget"
)

// Replicas are what a Recorder needs of the others in front of the same app. All
// fields are required.
type Replicas struct {
	Seer   Seer
	Link   Link
	Roster Roster
}

// Seer takes what this replica sees to the leader.
type Seer interface {
	// See takes a sighting over; done is closed once it is durable. It never blocks. If
	// ok is false, there was no room for it.
	See(participant string, at time.Time, data []byte) (done <-chan struct{}, ok bool)
	// Incarnation names this process among all that ever were a replica.
	Incarnation() string
	// Unseen returns how far the sightings of this replica are, by incarnation, and which
	// of some participants are on their way.
	Unseen(of []string) []replica.Queue
	// ForgetSpilled drops what waits on this replica's disk of a participant.
	ForgetSpilled(ctx context.Context, participant string) error
}

// Link is what a Recorder needs of replica.Link, which documents the methods.
type Link interface {
	Seen(ctx context.Context, after uint64, fn func(number uint64, message []byte) error) error
	LastSeen(ctx context.Context) (number uint64, err error)
	DropSeen(ctx context.Context, upTo uint64) error
	MaxMessage() int
	Ask(ctx context.Context, topic string, question []byte, fn func(answer []byte) (goesOn bool)) error
	Answer(ctx context.Context, topic string, fn func(question []byte) (answer []byte)) error
}

// Roster knows the replicas.
type Roster interface {
	// Present returns those that were heard of lately.
	Present() []replica.Member
	// Expect adds those that another replica has heard of, and Leave removes one that has
	// ended in good order.
	Expect(heard []replica.Member)
	Leave(incarnation string)
	// IsKnown reports whether it has listened for long enough to know all of them.
	IsKnown() bool
}

// ticketOf returns the ticket of an exchange among those of all replicas, never 0.
func ticketOf(incarnation string, ticket uint64) uint64 {
	h := fnv.New64a()
	h.Write([]byte(incarnation))
	var number [8]byte
	binary.BigEndian.PutUint64(number[:], ticket)
	h.Write(number[:])
	return max(h.Sum64(), 1)
}
