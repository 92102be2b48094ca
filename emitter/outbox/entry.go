package outbox

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/klauspost/compress/s2"
)

// An entry of the log is
//
//	0        1      2        10      26
//	│ format │ kind │ index  │ chain │ length of the leader's name │ leader │ data …
//	│ byte   │ byte │ uint64 │       │ uvarint
//
// Numbers are big-endian. The index of each entry is one higher than that of the one
// before, and its chain is a hash over the chain before and all else that it has: a log
// that lost something, went back or forked shows at its next entry.
const (
	// entryFormat is the format of entries. It is raised together with that of the state
	// file, whose records they have.
	entryFormat = 1
	// entryHeader is the length of what all entries begin with.
	entryHeader = 26
	// chainAt is where the chain begins.
	chainAt = 10
)

// maxChanges bounds the changes of one commit, in bytes, maxLong what they take in
// the log, in as many entries as that needs.
const (
	maxChanges = 256 << 20
	maxLong    = 64 << 20
)

// ErrNewer is the error of an entry that a newer release has written.
var ErrNewer = errors.New("the log of the replicas has an entry of a newer release: install that release here")

// errEntry is the error of an entry that makes no sense.
var errEntry = errors.New("an entry of the log of the replicas cannot be read")

// errStranger says what to do about an entry that no replica seems to have written.
var errStranger = errors.New("keep others from the log's subjects, and run `sidehook replicas seed` at the replica with the highest entry")

// entryKind is what an entry is for.
type entryKind byte

// The numbers of the kinds are part of the format.
const (
	// entryChanges has the changes of a commit, or the last part of them.
	entryChanges entryKind = iota + 1
	// entryPart has another part of the changes of a commit. Changes whose last part is
	// missing when an entryLead comes are not made.
	entryPart
	// entryBeat says that its leader still leads.
	entryBeat
	// entryLead says that its leader leads from now on, entryLeave that it stops.
	entryLead
	entryLeave
	// entrySnapshot names a snapshot that has all entries before it.
	entrySnapshot
	// entryScrub has each replica overwrite what was deleted.
	entryScrub
	entryKindEnd
)

// String returns the kind's name.
func (k entryKind) String() string {
	switch k {
	case entryChanges:
		return "changes"
	case entryPart:
		return "part"
	case entryBeat:
		return "beat"
	case entryLead:
		return "lead"
	case entryLeave:
		return "leave"
	case entrySnapshot:
		return "snapshot"
	case entryScrub:
		return "scrub"
	case entryKindEnd:
	}
	return "unknown"
}

// chain is a hash over all entries of a log up to one.
type chain [16]byte

// logEntry is one entry of the log.
type logEntry struct {
	kind  entryKind
	index uint64
	chain chain
	// leader is the incarnation that has written it.
	leader string
	data   []byte
}

// entryRoom returns how much data an entry of a length has room for.
func entryRoom(length int, leader string) int {
	return length - entryHeader - binary.MaxVarintLen16 - len(leader)
}

// encode returns the entry's bytes and sets its chain, which follows another.
func (e *logEntry) encode(before chain) []byte {
	to := encoder(make([]byte, 0, entryHeader+binary.MaxVarintLen16+len(e.leader)+len(e.data)))
	to = append(to, entryFormat, byte(e.kind))
	to = binary.BigEndian.AppendUint64(to, e.index)
	to = append(to, e.chain[:]...)
	to.text(e.leader)
	to = append(to, e.data...)
	e.chain = chainOf(before, to)
	copy(to[chainAt:], e.chain[:])
	return to
}

// decodeEntry reads an entry, whose data shares the bytes. Its chain is not checked.
func decodeEntry(b []byte) (e logEntry, err error) {
	if len(b) == 0 {
		return logEntry{}, errEntry
	}
	if b[0] != entryFormat {
		return logEntry{}, fmt.Errorf("%w (format %d, and this one knows %d)", ErrNewer, b[0], entryFormat)
	}
	if len(b) < entryHeader {
		return logEntry{}, errEntry
	}
	e.kind, e.index, e.chain = entryKind(b[1]), binary.BigEndian.Uint64(b[2:]), chain(b[chainAt:entryHeader])
	if e.kind >= entryKindEnd {
		return logEntry{}, fmt.Errorf("%w (kind %d)", ErrNewer, e.kind)
	}
	in := decoder{rest: b[entryHeader:]}
	e.leader, e.data = in.text(), nil
	if in.err != nil || e.kind == 0 {
		return logEntry{}, errEntry
	}
	e.data = in.rest
	return e, nil
}

// chainOf returns the chain of an entry's bytes, whatever they have for it.
func chainOf(before chain, encoded []byte) (c chain) {
	sum := sha256.New()
	sum.Write(before[:])
	sum.Write(encoded[:chainAt])
	sum.Write(encoded[entryHeader:])
	copy(c[:], sum.Sum(nil))
	return c
}

// encodeChanges returns the changes of a commit as the data of entries.
func encodeChanges(changes *overlay) []byte {
	return s2.Encode(nil, appendChanges(make([]byte, 0, changes.memory), changes))
}

// decodeChanges reads what encodeChanges has written.
func decodeChanges(data []byte) (*overlay, error) {
	size, err := s2.DecodedLen(data)
	if err != nil || size > maxChanges {
		return nil, errEntry
	}
	decoded, err := s2.Decode(nil, data)
	if err != nil {
		return nil, errEntry
	}
	changes := newOverlay()
	if !addChanges(changes, decoded) {
		return nil, errEntry
	}
	return changes, nil
}
