package outbox

import (
	"bytes"
	"cmp"
	"time"
)

// isMarked is the value of a key whose presence is all that it says. It is not
// empty: within a transaction an empty value cannot be told from none.
var isMarked = []byte{1}

// Journey returns the head of the journey with this key.
func (tx *Tx) Journey(key string) (head []byte, ok bool) {
	r, ok := tx.journey(key)
	return r.head, ok
}

func (tx *Tx) journey(key string) (r journeyRecord, ok bool) {
	return decodeJourney(tx.get(bucketJourneys, []byte(key)))
}

// PutJourney stores the head of a journey, which is kept with its parts for
// Retention.Journeys after mark.LastExchange. It returns false if there was nothing
// to write: the head is the same, and the last exchange was in the same minute.
func (tx *Tx) PutJourney(key string, head []byte, mark Mark) (changed bool) {
	if key == "" {
		tx.fail(errNoKey)
		return false
	}
	old, isKnown := tx.journey(key)
	isRecent := mark.LastExchange.Sub(old.last).Abs() < time.Hour
	r := journeyRecord{last: mark.LastExchange, group: groupOf(mark), indexed: old.indexed, size: mark.Size, head: head}
	if mark.AwaitsSilence {
		r.heard = tx.minute()
		r.filed = cmp.Or(old.filed, r.heard)
	}
	isHeard := old.heard == r.heard && old.filed == r.filed
	switch {
	case isKnown && isRecent && isHeard && old.group == r.group && bytes.Equal(old.head, head):
		return false
	case !isKnown || old.group != r.group:
		r.indexed = r.last
	}
	tx.moveJourney(key, old, isKnown, r)
	return true
}

// moveJourney replaces the record of a journey, and moves it in journey_age where
// that is necessary.
func (tx *Tx) moveJourney(key string, old journeyRecord, isKnown bool, r journeyRecord) {
	isInPlace := isKnown && old.group == r.group && old.indexed.Equal(r.indexed)
	if isKnown {
		tx.ledger.groups[old.group] -= int64(old.size)
		if !isInPlace {
			tx.delete(bucketJourneyAge, newAgeKey(key, old))
		}
	}
	if !isInPlace {
		tx.put(bucketJourneyAge, newAgeKey(key, r), isMarked)
	}
	tx.moveSilence(key, old.filed, r.filed)
	tx.ledger.groups[r.group] += int64(r.size)
	tx.put(bucketJourneys, []byte(key), r.encode())
}

// JourneyPart returns a part of a journey by its name, nil if there is none.
func (tx *Tx) JourneyPart(key, name string) []byte {
	return tx.get(bucketJourneyParts, partKey(key, name))
}

// PutJourneyPart stores a part of a journey, which PutJourney keeps.
func (tx *Tx) PutJourneyPart(key, name string, part []byte) {
	tx.put(bucketJourneyParts, partKey(key, name), part)
}

// DeleteJourneyPart deletes a part of a journey.
func (tx *Tx) DeleteJourneyPart(key, name string) { tx.delete(bucketJourneyParts, partKey(key, name)) }

// JourneyParts returns the names of a journey's parts that begin with prefix, in
// their order.
func (tx *Tx) JourneyParts(key, prefix string) (names []string) {
	for part := range tx.view.ascend(bucketJourneyParts, partKey(key, prefix), nil) {
		names = append(names, string(part[hashSize:]))
	}
	return names
}

// partKey is the key of a part. It begins with a hash, so that a participant's id
// cannot lead to the parts of another journey.
func partKey(journey, name string) []byte {
	sum := hashOf(journey)
	return append(append(make([]byte, 0, hashSize+len(name)), sum[:]...), name...)
}

// DropJourney deletes a journey and its parts, those of a journey whose head was
// never put, too. It returns false if there is no journey.
func (tx *Tx) DropJourney(key string) bool {
	r, ok := tx.journey(key)
	tx.deleteJourney(key, r, ok)
	return ok
}

// deleteJourney deletes all records of a journey, and returns how many may be gone.
func (tx *Tx) deleteJourney(key string, r journeyRecord, isKnown bool) (dropped int) {
	parts := tx.JourneyParts(key, "")
	for _, name := range parts {
		tx.DeleteJourneyPart(key, name)
	}
	if isKnown {
		tx.ledger.groups[r.group] -= int64(r.size)
		tx.delete(bucketJourneyAge, newAgeKey(key, r))
		tx.moveSilence(key, r.filed, 0)
	}
	tx.delete(bucketJourneys, []byte(key))
	tx.delete(bucketUnsettled, []byte(key))
	return len(parts) + 1
}

// restoreAge puts a key of journey_age back, if it is that of a journey.
func (tx *Tx) restoreAge(key []byte) {
	if len(key) < ageKeySize {
		return
	}
	name := ageKey(key).journey()
	r, ok := tx.journey(name)
	if ok && (bytes.Equal(newAgeKey(name, r), key) || r.filed > 0 && bytes.Equal(newSilenceKey(name, r.filed), key)) {
		tx.put(bucketJourneyAge, key, isMarked)
	}
}

// ageWindow is how many keys of journey_age are read at once.
const ageWindow = 64

// dropOldest drops journeys of a group, the one with the oldest last exchange
// first, until isDone. A journey that went on after it was indexed is moved to
// where it belongs. It returns how many journeys it dropped, how many records it
// dropped or moved, and whether it came to the end of the group.
func (tx *Tx) dropOldest(g journeyGroup, isDone func(next time.Time, work int) bool) (dropped, work int, isEnd bool) {
	for {
		var window []ageKey
		for key := range tx.view.ascend(bucketJourneyAge, agePrefix(g), nil) {
			if window = append(window, bytes.Clone(key)); len(window) == ageWindow {
				break
			}
		}
		for _, at := range window {
			if isDone(at.indexed(), work) {
				return dropped, work, false
			}
			key := at.journey()
			r, ok := tx.journey(key)
			switch isElsewhere := !ok || !bytes.Equal(newAgeKey(key, r), at); {
			case isElsewhere: // of a damaged file
				tx.delete(bucketJourneyAge, at)
				work++
			case r.last.After(r.indexed):
				moved := r
				moved.indexed = r.last
				tx.moveJourney(key, r, true, moved)
				work++
			default:
				work += tx.deleteJourney(key, r, true)
				dropped++
			}
		}
		if len(window) < ageWindow {
			return dropped, work, true
		}
	}
}

// JourneyKeys returns the keys of the journeys that begin with prefix and end with suffix.
func (s *Store) JourneyKeys(prefix, suffix string) (found []string, err error) {
	for next := []byte(nil); ; {
		err = s.view(func(v *view) error {
			start, scanned := next, 0
			next = nil
			for key := range v.ascend(bucketJourneys, nil, start) {
				if scanned++; scanned > maxScan {
					next = bytes.Clone(key)
					break
				}
				if bytes.HasPrefix(key, []byte(prefix)) && bytes.HasSuffix(key, []byte(suffix)) {
					found = append(found, string(key))
				}
			}
			return nil
		})
		if err != nil || next == nil {
			return found, err
		}
	}
}

// MarkUnsettled notes that the journey has work that only this process can finish,
// until ClearUnsettled. run is the process.
func (tx *Tx) MarkUnsettled(key, run string) {
	if key == "" {
		tx.fail(errNoKey)
		return
	}
	if string(tx.get(bucketUnsettled, []byte(key))) != run {
		tx.put(bucketUnsettled, []byte(key), []byte(run))
	}
}

// ClearUnsettled undoes MarkUnsettled.
func (tx *Tx) ClearUnsettled(key string) {
	if tx.has(bucketUnsettled, []byte(key)) {
		tx.delete(bucketUnsettled, []byte(key))
	}
}

// IsLeftover reports whether the journey was marked by another process than run.
func (tx *Tx) IsLeftover(key, run string) bool {
	mark := tx.get(bucketUnsettled, []byte(key))
	return mark != nil && string(mark) != run
}

// Unsettled returns the keys of up to limit marked journeys that come after a key,
// "" for the first ones, in the order of the keys.
func (tx *Tx) Unsettled(after string, limit int) (marked []string) {
	for key := range tx.view.ascend(bucketUnsettled, nil, []byte(after)) {
		if len(marked) == limit {
			break
		}
		if string(key) != after {
			marked = append(marked, string(key))
		}
	}
	return marked
}
