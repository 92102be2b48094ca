package outbox

import (
	"bytes"
	"maps"
)

// floors remember where the records of an index begin. What is sent or has
// expired is deleted at the beginning of an index; without a floor each reader
// would pass over all of it until a checkpoint has removed it.
//
// The key is a bucket and a prefix, the value a key that no record with this
// prefix lies before.
type floors map[string][]byte

// floorPrefix is the length of the prefixes of a bucket that have a floor, -1 if
// it has none.
func floorPrefix(b bucket) int {
	switch b {
	case bucketReady, bucketDone:
		return donePrefixSize // of the ready index: target, class
	case bucketJourneyAge:
		return 1 // the group
	case bucketUnsettled:
		return 0
	}
	return -1
}

// of returns the floor of a prefix, nil if it has none.
func (f floors) of(b bucket, prefix []byte) []byte {
	if len(prefix) != floorPrefix(b) {
		return nil
	}
	var buffer [1 + donePrefixSize]byte
	return f[string(appendKey(buffer[:0], b, prefix))]
}

// lower returns the floors with a record that lies before the one of its prefix.
func (f floors) lower(b bucket, key []byte) floors {
	size := floorPrefix(b)
	if size < 0 {
		return f
	}
	if floor := f.of(b, key[:size]); floor == nil || bytes.Compare(key, floor) >= 0 {
		return f
	}
	next := maps.Clone(f)
	next[string(appendKey(nil, b, key[:size]))] = bytes.Clone(key)
	return next
}

// after returns the floors after a commit: lower where it has put a record
// before one, higher where it has deleted the first. v has the state after it.
func (f floors) after(commit *overlay, v *view) floors {
	next := maps.Clone(f)
	if next == nil {
		next = floors{}
	}
	deleted := map[string]bool{}
	for r := range commit.all() {
		size := floorPrefix(bucket(r.key[0]))
		if size < 0 {
			continue
		}
		index := string(r.key[:1+size])
		floor, isKnown := next[index]
		switch order := bytes.Compare(r.key[1:], floor); {
		case r.value == nil && (!isKnown || order <= 0):
			deleted[index] = true
		case r.value != nil && isKnown && order < 0:
			next[index] = r.key[1:]
		}
	}
	v.floors = next
	for index := range deleted {
		next[index] = v.floorOf(bucket(index[0]), []byte(index[1:]))
	}
	return next
}

// floorOf returns the first key with a prefix or, without one, what all future
// ones lie before.
func (v *view) floorOf(b bucket, prefix []byte) []byte {
	if first := v.first(b, prefix); first != nil {
		return bytes.Clone(first)
	}
	return append(prefix, bytes.Repeat([]byte{0xff}, 24)...)
}
