package outbox

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// keyApplied is the key in meta of the place up to which the file has what the log has,
// keyLost that of a mark on a file that has lost something, which a snapshot replaces.
var (
	keyApplied = []byte("applied")
	keyLost    = []byte("lost")
)

// errForeign is the error of a file that does not go with the log.
var errForeign = errors.New("the state file is not one of this log")

// place is a place in a log: behind an entry.
type place struct {
	// log tells logs apart: it is random, and the chain before the first entry.
	log chain
	// index is that of the entry, number the one that Log knows it by.
	index, number uint64
	chain         chain
}

// placeSize is the length of an encoded place.
const placeSize = 48

func (p place) encode() []byte {
	b := appendUint64s(append(make([]byte, 0, placeSize), p.log[:]...), p.index, p.number)
	return append(b, p.chain[:]...)
}

func decodePlace(b []byte) (p place, ok bool) {
	if len(b) != placeSize {
		return place{}, false
	}
	return place{
		log: chain(b[:16]), index: binary.BigEndian.Uint64(b[16:]), number: binary.BigEndian.Uint64(b[24:]), chain: chain(b[32:]),
	}, true
}

// record returns the record of meta that has the place.
func (p place) record() record { return newRecord(bucketMeta, keyApplied, p.encode()) }

// add returns an entry that follows the place, and the place behind it.
func (p place) add(kind entryKind, leader string, data []byte) (encoded []byte, behind place) {
	e := logEntry{kind: kind, index: p.index + 1, leader: leader, data: data}
	encoded = e.encode(p.chain)
	return encoded, place{log: p.log, index: e.index, number: p.number + 1, chain: e.chain}
}

// pass reads the entry with a number, which must be the one that follows the place. It
// returns the place behind it.
func (p place) pass(number uint64, encoded []byte) (e logEntry, behind place, err error) {
	if e, err = decodeEntry(encoded); err != nil {
		follows := len(encoded) >= entryHeader && chain(encoded[chainAt:entryHeader]) == chainOf(p.chain, encoded)
		if errors.Is(err, ErrNewer) && !follows { // the chain is at the same place in each format
			err = fmt.Errorf("%w. If something else than a sidehook has written it, %w", err, errStranger)
		}
		return logEntry{}, p, err
	}
	if number != p.number+1 || e.index != p.index+1 || e.chain != chainOf(p.chain, encoded) {
		return logEntry{}, p, fmt.Errorf("%w: entry %d does not follow the one at which this replica is, %d", errForeign, e.index, p.index)
	}
	return e, place{log: p.log, index: e.index, number: number, chain: e.chain}, nil
}

// check reads the entry with a number, which must be the one that the place is behind.
func (p place) check(number uint64, encoded []byte) (logEntry, error) {
	e, err := decodeEntry(encoded)
	if err == nil && (number != p.number || e.index != p.index || e.chain != p.chain) {
		err = fmt.Errorf("%w: entry %d is another than the one that this replica has read", errForeign, p.index)
	}
	return e, err
}

// place returns the place that a state has, and whether it was marked as one that has
// lost something.
func (v *view) place() (p place, ok, isLost bool) {
	p, ok = decodePlace(v.get(bucketMeta, keyApplied))
	return p, ok, v.get(bucketMeta, keyLost) != nil
}
