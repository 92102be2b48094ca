package outbox

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
	"time"
)

// isMarked is the value of a key whose presence is all that it says. It is not
// empty: within a transaction an empty value cannot be told from none.
var isMarked = []byte{1}

// Journey returns the head of the journey with this key.
func (tx *Tx) Journey(key string) (head []byte, ok bool) {
	record := tx.get(bucketJourneys, []byte(key))
	if len(record) < 8 {
		return nil, false
	}
	return record[8:], true
}

// PutJourney stores the head of a journey, which is kept with its parts for
// Retention.Journeys after lastExchange. It returns false if there was nothing to
// write: the head is the same, and the hour of the last exchange.
//
// A journey is eventless until MarkEventful.
func (tx *Tx) PutJourney(key string, head []byte, lastExchange time.Time) (changed bool) {
	if key == "" {
		tx.fail(errNoKey)
		return false
	}
	old := tx.get(bucketJourneys, []byte(key))
	switch {
	case len(old) < 8:
		age := journeyAgeKey(key, lastExchange)
		tx.put(bucketJourneyAge, age, nil)
		tx.put(bucketEventlessAge, age, isMarked)
	case hours(lastExchangeOf(old)) != hours(lastExchange):
		tx.moveJourneyAge(key, lastExchangeOf(old), lastExchange)
	case bytes.Equal(old[8:], head):
		return false
	}
	record := binary.BigEndian.AppendUint64(make([]byte, 0, 8+len(head)), uint64(nanos(lastExchange)))
	tx.put(bucketJourneys, []byte(key), append(record, head...))
	return true
}

// MarkEventful notes that a journey has led to an event. Journeys that have not are
// in eventless_age too, by the hour of their last exchange: anybody can make them up.
func (tx *Tx) MarkEventful(key string) {
	if record := tx.get(bucketJourneys, []byte(key)); len(record) >= 8 {
		tx.delete(bucketEventlessAge, journeyAgeKey(key, lastExchangeOf(record)))
	}
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
	record := tx.get(bucketJourneys, []byte(key))
	if len(record) < 8 {
		tx.deleteJourneyParts(key)
		return false
	}
	tx.deleteJourney(journeyAgeKey(key, lastExchangeOf(record)))
	return true
}

// deleteJourney deletes all records of the journey that has this key in
// journey_age, and returns how many records may be gone.
func (tx *Tx) deleteJourney(ageKey []byte) (dropped int) {
	parts := tx.deleteJourneyParts(string(ageKey[4:]))
	tx.delete(bucketJourneyAge, ageKey)
	tx.delete(bucketEventlessAge, ageKey)
	tx.delete(bucketJourneys, ageKey[4:])
	tx.delete(bucketUnsettled, ageKey[4:])
	return parts + 1
}

func (tx *Tx) deleteJourneyParts(key string) (deleted int) {
	parts := tx.JourneyParts(key, "")
	for _, name := range parts {
		tx.DeleteJourneyPart(key, name)
	}
	return len(parts)
}

// oldestJourneys copies up to limit keys of journey_age or eventless_age, the
// oldest hour first, of journeys whose last exchange was in an hour before cutoff,
// if that is not zero.
func (tx *Tx) oldestJourneys(index bucket, cutoff time.Time, limit int) (found [][]byte) {
	for key := range tx.view.ascend(index, nil, nil) {
		isRecent := !cutoff.IsZero() && binary.BigEndian.Uint32(key) >= hours(cutoff)
		if len(found) >= limit || isRecent {
			break
		}
		found = append(found, bytes.Clone(key))
	}
	return found
}

// sortByLastExchange sorts keys of journey_age, which has only the hour.
func (tx *Tx) sortByLastExchange(ageKeys [][]byte) {
	last := func(ageKey []byte) (nanos uint64) {
		if record := tx.get(bucketJourneys, ageKey[4:]); len(record) >= 8 {
			nanos = binary.BigEndian.Uint64(record)
		}
		return nanos
	}
	slices.SortFunc(ageKeys, func(a, b []byte) int { return cmp.Compare(last(a), last(b)) })
}

// JourneyKeys returns the keys of the journeys that end with suffix. It reads
// only keys, so that a million journeys take a fraction of a second.
func (s *Store) JourneyKeys(suffix string) (found []string, err error) {
	for next := []byte(nil); ; {
		err = s.view(func(v *view) error {
			start, scanned := next, 0
			next = nil
			for key := range v.ascend(bucketJourneyAge, nil, start) {
				if scanned++; scanned > maxScan {
					next = bytes.Clone(key)
					break
				}
				if bytes.HasSuffix(key[4:], []byte(suffix)) {
					found = append(found, string(key[4:]))
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

// moveJourneyAge moves a journey in journey_age, which counts in hours so that
// this is seldom a write.
func (tx *Tx) moveJourneyAge(key string, from, to time.Time) {
	older, newer := journeyAgeKey(key, from), journeyAgeKey(key, to)
	tx.delete(bucketJourneyAge, older)
	tx.put(bucketJourneyAge, newer, nil)
	if tx.has(bucketEventlessAge, older) {
		tx.delete(bucketEventlessAge, older)
		tx.put(bucketEventlessAge, newer, isMarked)
	}
}

func lastExchangeOf(record []byte) time.Time {
	return fromNanos(int64(binary.BigEndian.Uint64(record)))
}

func hours(t time.Time) uint32 { return uint32(nanos(t) / int64(time.Hour)) }

func journeyAgeKey(key string, last time.Time) []byte {
	return append(binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(key)), hours(last)), key...)
}
