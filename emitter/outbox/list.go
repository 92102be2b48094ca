package outbox

import (
	"bytes"
	"iter"
	"slices"
)

// section is the part of a listing that has a target's deliveries in one state;
// Waiting stands for all pending ones.
type section struct {
	target uint32
	state  State
}

// entry is a record that a listing looks at.
type entry struct {
	seq uint64
	// key is its place in the section, for a cursor.
	key []byte
	// isMember is false for a record of another section that lies in between.
	isMember bool
}

// entries yields the records of a section that come after a key, or all of them.
func (s section) entries(v *view, after []byte, newestFirst bool) iter.Seq[entry] {
	switch {
	case s.state == Waiting:
		return s.pending(v, after)
	case newestFirst:
		return s.newestFirst(v, after)
	default:
		return s.oldestFirst(v, after)
	}
}

// oldestFirst walks the done index.
func (s section) oldestFirst(v *view, after []byte) iter.Seq[entry] {
	prefix := donePrefix(s.target, s.state)
	start := slices.Concat(prefix, after)
	return func(yield func(entry) bool) {
		for key := range v.ascend(bucketDone, prefix, start) {
			isNew := len(after) == 0 || !bytes.Equal(key, start)
			if isNew && !yield(doneEntry(key)) {
				return
			}
		}
	}
}

// newestFirst walks the done index from the section's end.
func (s section) newestFirst(v *view, after []byte) iter.Seq[entry] {
	prefix := donePrefix(s.target, s.state)
	if len(after) == 0 {
		after = bytes.Repeat([]byte{0xff}, 16)
	}
	end := slices.Concat(prefix, after)
	return func(yield func(entry) bool) {
		for key := range v.descend(bucketDone, prefix, end) {
			if !yield(doneEntry(key)) {
				return
			}
		}
	}
}

func doneEntry(key []byte) entry {
	return entry{seq: lastUint64(key), key: key[donePrefixSize:], isMember: true}
}

// pending walks the progress of all deliveries from the section's oldest on, for
// there is no index of those that are Behind.
func (s section) pending(v *view, after []byte) iter.Seq[entry] {
	start := after
	if len(after) == 0 {
		start = s.oldestPending(v)
	}
	return func(yield func(entry) bool) {
		if start == nil {
			return
		}
		for key, value := range v.ascend(bucketProgress, nil, start) {
			if isKnown := len(after) > 0 && bytes.Equal(key, after); isKnown {
				continue
			}
			p, err := decodeProgress(value)
			isMember := err == nil && p.target == s.target && p.isPending()
			if !yield(entry{seq: lastUint64(key), key: key, isMember: isMember}) {
				return
			}
		}
	}
}

// oldestPending returns the progress key of the oldest pending delivery, which
// is the head of its lane, nil without one.
func (s section) oldestPending(v *view) (oldest []byte) {
	for _, class := range classesByAge {
		prefix := readyKey(s.target, class)
		key := v.first(bucketReady, prefix) // they are ordered by age
		if key == nil {
			continue
		}
		if seqKey := key[len(prefix):]; oldest == nil || bytes.Compare(seqKey, oldest) < 0 {
			oldest = bytes.Clone(seqKey)
		}
	}
	return oldest
}
