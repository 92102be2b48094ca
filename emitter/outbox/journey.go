package outbox

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"
)

// Journey returns the data of the journey with this key.
func (tx *Tx) Journey(key string) (data []byte, ok bool) {
	record := tx.get(bucketJourneys, []byte(key))
	if len(record) < 8 {
		return nil, false
	}
	return record[8:], true
}

// PutJourney stores the data of a journey, which is kept for Retention.Journeys
// after lastExchange.
func (tx *Tx) PutJourney(key string, data []byte, lastExchange time.Time) {
	if key == "" {
		tx.fail(errNoKey)
		return
	}
	if old := tx.get(bucketJourneys, []byte(key)); len(old) >= 8 {
		tx.moveJourneyAge(key, lastExchangeOf(old), lastExchange)
	} else {
		tx.put(bucketJourneyAge, journeyAgeKey(key, lastExchange, false), nil)
	}
	record := binary.BigEndian.AppendUint64(make([]byte, 0, 8+len(data)), uint64(nanos(lastExchange)))
	tx.put(bucketJourneys, []byte(key), append(record, data...))
}

// DropJourney deletes a journey. It returns false if there is none.
func (tx *Tx) DropJourney(key string) bool {
	record := tx.get(bucketJourneys, []byte(key))
	if len(record) < 8 {
		return false
	}
	last := lastExchangeOf(record)
	tx.deleteJourney(journeyAgeKey(key, last, tx.hasEvents(key, last)))
	return true
}

// MarkEventful notes that the journey led to an event. Those that did not are
// dropped first where journeys have no room.
func (tx *Tx) MarkEventful(key string) {
	record := tx.get(bucketJourneys, []byte(key))
	if len(record) < 8 {
		return
	}
	if last := lastExchangeOf(record); !tx.hasEvents(key, last) {
		tx.delete(bucketJourneyAge, journeyAgeKey(key, last, false))
		tx.put(bucketJourneyAge, journeyAgeKey(key, last, true), nil)
	}
}

// hasEvents reports whether a journey was marked. Those of early releases count as such.
func (tx *Tx) hasEvents(key string, last time.Time) bool {
	return !tx.has(bucketJourneyAge, journeyAgeKey(key, last, false))
}

// oldestJourneys copies up to limit keys of journey_age, the oldest hour first, of
// journeys whose last exchange was in an hour before cutoff, if that is not zero.
func (tx *Tx) oldestJourneys(hasEvents bool, cutoff time.Time, limit int) (found [][]byte) {
	start, end := journeyAgeKey("", time.Time{}, hasEvents), []byte(nil)
	if !cutoff.IsZero() {
		end = journeyAgeKey("", cutoff, hasEvents)
	} else if hasEvents {
		end = journeyAgeKey("", time.Time{}, false)
	}
	for key := range keys(tx.bucket(bucketJourneyAge), nil, start) {
		if len(found) >= limit || end != nil && bytes.Compare(key, end) >= 0 {
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

// deleteJourney deletes all records of the journey that has this key in journey_age.
func (tx *Tx) deleteJourney(ageKey []byte) {
	tx.delete(bucketJourneyAge, ageKey)
	tx.delete(bucketJourneys, ageKey[4:])
	tx.delete(bucketUnsettled, ageKey[4:])
}

// JourneyKeys returns the keys of the journeys that end with suffix. It reads
// only keys, so that a million journeys take a fraction of a second.
func (s *Store) JourneyKeys(suffix string) (found []string, err error) {
	for next := []byte(nil); ; {
		err = s.view(func(tx *bolt.Tx) error {
			start, scanned := next, 0
			next = nil
			for key := range keys(tx.Bucket(bucketJourneyAge), nil, start) {
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

// MarkUnsettled notes that the journey has an event that waits for answers in
// flight, until ClearUnsettled.
func (tx *Tx) MarkUnsettled(key string) {
	if key == "" {
		tx.fail(errNoKey)
		return
	}
	tx.put(bucketUnsettled, []byte(key), nil)
}

// ClearUnsettled undoes MarkUnsettled.
func (tx *Tx) ClearUnsettled(key string) { tx.delete(bucketUnsettled, []byte(key)) }

// Unsettled returns the keys of the marked journeys, in no particular order.
func (tx *Tx) Unsettled() (marked []string) {
	for key := range keys(tx.bucket(bucketUnsettled), nil, nil) {
		marked = append(marked, string(key))
	}
	return marked
}

// moveJourneyAge moves a journey in journey_age, which counts in hours so that
// this is seldom a write.
func (tx *Tx) moveJourneyAge(key string, from, to time.Time) {
	if hours(from) == hours(to) {
		return
	}
	hasEvents := tx.hasEvents(key, from)
	tx.delete(bucketJourneyAge, journeyAgeKey(key, from, hasEvents))
	tx.put(bucketJourneyAge, journeyAgeKey(key, to, hasEvents), nil)
}

func lastExchangeOf(record []byte) time.Time {
	return fromNanos(int64(binary.BigEndian.Uint64(record)))
}

func hours(t time.Time) uint32 { return uint32(nanos(t) / int64(time.Hour)) }

// eventless is a bit of the hour in journey_age of a journey that led to no event.
const eventless = 1 << 31

func journeyAgeKey(key string, last time.Time, hasEvents bool) []byte {
	hour := hours(last)
	if !hasEvents {
		hour |= eventless
	}
	return append(binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(key)), hour), key...)
}
