package outbox

import (
	"errors"
	"fmt"
)

// joining is what a replica does about its file before it can follow the log:
//
//	           ┌──────── load ◄───────┐ the next entry is gone, or the file is damaged
//	           ▼                      │
//	wait ──► follow ──► (lead, follow)┤
//	           ▲                      │
//	           └─ begin               ├─► lost      the log went back
//	                                  └─► refused   the file belongs elsewhere
type joining int

const (
	// joinWait looks again after a while.
	joinWait joining = iota
	// joinFollow goes on with the entries after the last that the file has.
	joinFollow
	// joinLoad puts the newest snapshot in the place of the file.
	joinLoad
	// joinBegin makes the file the first snapshot of a log that is empty.
	joinBegin
	// joinRefused leaves a file alone whose content would be lost.
	joinRefused
	// joinLost leaves a file alone that is ahead of the log.
	joinLost
)

func (j joining) String() string {
	switch j {
	case joinWait:
		return "wait"
	case joinFollow:
		return "follow"
	case joinLoad:
		return "load"
	case joinBegin:
		return "begin"
	case joinRefused:
		return "refused"
	case joinLost:
		return "lost"
	}
	return "unknown"
}

var (
	// errRefused is the error of a state file that the log does not go on from.
	errRefused = errors.New("the state file does not go with the log of the replicas")
	// errJoinWaits is why a replica with an empty file does not begin a log at once.
	errJoinWaits = errors.New("the log of the replicas is empty: waiting for a replica that has state to begin it")
	// errNoSnapshot is why a replica cannot load one.
	errNoSnapshot = errors.New("the log of the replicas has no snapshot to load: waiting for the leader to make one")
)

// RefusedError is why a replica does not join a log: its file has state that is not
// the log's.
type RefusedError struct {
	// Dir is the state directory.
	Dir string
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("the state in %s is not that of the other replicas, and would be lost: give this replica an empty state directory, "+
		"or remove the key replicas to run it alone", e.Dir)
}

func (*RefusedError) Unwrap() error { return errRefused }

// LostError is why a replica does not follow a log: it has entries that the log
// lacks or has others for.
type LostError struct {
	// Applied is the index of the last entry that the replica has, as in Replica.
	Applied uint64
	// differs reports that the log was read, and has another entry.
	differs bool
}

func (e *LostError) Error() string {
	return fmt.Sprintf("the log of the replicas has lost entries: this replica has entry %d, and the log ends before it or has another in its place. "+
		"Run `sidehook replicas seed` at the replica with the highest entry, and the others load its state", e.Applied)
}

func (*LostError) Unwrap() error { return errRefused }

// localState is what the file of a replica says.
type localState struct {
	// isEmpty reports that nothing would be lost with the file.
	isEmpty bool
	// place is that up to which the file has what its log has, a zero one without a log.
	// One of index 0 is that of a log which this replica is about to begin.
	place place
	// predecessor is the log that it belonged to before, zero if there was none.
	predecessor chain
	// isLost reports that the file lacks some of what it had.
	isLost bool
	// differs reports that the log has another entry where the file expects its next.
	differs bool
}

// logState is what the log says.
type logState struct {
	// first and last are the numbers of its entries.
	first, last uint64
	// snapshot is the newest of those from which its entries go on, a zero one without any.
	snapshot snapshotName
	// hasWaited reports that the log was empty for long enough.
	hasWaited bool
}

// join decides what a replica with this file does about a log.
func join(file localState, log logState) joining {
	if isEmpty := log.first > log.last; isEmpty {
		return joinEmpty(file, log)
	}
	hasBegun := file.place.index > 0
	isOwn := file.place.log == log.snapshot.log
	isForeign := file.place.log == (chain{}) || !hasBegun && file.differs
	switch {
	case log.snapshot.isNone() && isForeign:
		return joinWait
	case log.snapshot.isNone() || isOwn:
		return joinOwn(file, log)
	case isSucceeded(file, log), file.isEmpty && !hasBegun:
		return joinLoad
	}
	return joinRefused
}

// isSucceeded reports whether the log goes on from that of the file, or from the one that
// another tried to go on from too.
func isSucceeded(file localState, log logState) bool {
	before := file.place.log
	if hasBegun := file.place.index > 0; !hasBegun {
		before = file.predecessor
	}
	return before != (chain{}) && before == log.snapshot.predecessor
}

// joinEmpty decides about a log without entries.
func joinEmpty(file localState, log logState) joining {
	hasSnapshot := !log.snapshot.isNone()
	switch hasLog := file.place.log != (chain{}); {
	case hasLog && file.place.index == 0 && file.place.log == log.snapshot.log:
		return joinFollow
	case hasLog && file.place.index == 0:
		return joinBegin
	case hasLog && file.place.log == log.snapshot.predecessor:
		return joinLoad
	case hasLog:
		return joinLost
	case file.isEmpty && hasSnapshot:
		return joinLoad
	case !log.hasWaited && (file.isEmpty || hasSnapshot):
		return joinWait
	}
	return joinBegin
}

// joinOwn decides about the log that the file belongs to.
func joinOwn(file localState, log logState) joining {
	isGone := file.place.number+1 < log.first
	switch {
	case file.place.number > log.last || file.differs:
		return joinLost
	case (isGone || file.isLost) && log.snapshot.isNone():
		return joinWait
	case isGone || file.isLost:
		return joinLoad
	}
	return joinFollow
}
