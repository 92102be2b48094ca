package rules

import "time"

// Journeys is the store of a Fold. A journey is several records: its head, and
// parts with a name each, so that what an observation reads and writes does not
// grow with the journey. The bytes that it returns must not be changed.
type Journeys interface {
	// Head returns the head of a journey, nil if there is no such journey.
	Head(key Key) []byte
	// PutHead stores the head of a journey.
	PutHead(key Key, head []byte, mark Mark)
	// Drop deletes the head and all parts of a journey.
	Drop(key Key)

	// Part returns a part of a journey, nil if it has no such part.
	Part(key Key, name string) []byte
	// PutPart stores a part of a journey; nil deletes it.
	PutPart(key Key, name string, part []byte)
	// Parts returns the names of the parts that begin with prefix, in their order.
	Parts(key Key, prefix string) []string

	// Page returns the definition of a page by its name, nil if it is lost.
	Page(name string) []byte
	// PutPage stores the definition of a page, which participants share, and returns
	// its name: the same for the same definition. isKept is false if there is no room.
	PutPage(definition []byte) (name string, isKept bool)
}

// Mark is what a store has to know of a journey.
type Mark struct {
	// At is the time of the journey's last exchange.
	At time.Time
	// Size is about how many bytes the parts of the journey take.
	Size int
	// IsUnfinished reports whether the journey waits for something that only this
	// process knows of: after a restart it has to be passed to Fold.Resume.
	IsUnfinished bool
	// HasEvents reports whether the journey has led to an event. Anybody can make up
	// journeys that have not, so these go sooner where space is needed.
	HasEvents bool
	// AwaitsSilence reports whether the journey is to be passed to Fold.Silence once
	// nothing was heard of the participant for long.
	AwaitsSilence bool
}
