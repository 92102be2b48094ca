package outbox

import (
	"bytes"
	"encoding/binary"
	"time"
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
		tx.put(bucketJourneyAge, journeyAgeKey(key, lastExchange), nil)
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
	tx.deleteJourney(journeyAgeKey(key, lastExchangeOf(record)))
	return true
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
	for key := range tx.view.ascend(bucketUnsettled, nil, nil) {
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
	tx.delete(bucketJourneyAge, journeyAgeKey(key, from))
	tx.put(bucketJourneyAge, journeyAgeKey(key, to), nil)
}

func lastExchangeOf(record []byte) time.Time {
	return fromNanos(int64(binary.BigEndian.Uint64(record)))
}

func hours(t time.Time) uint32 { return uint32(nanos(t) / int64(time.Hour)) }

func journeyAgeKey(key string, last time.Time) []byte {
	return append(binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(key)), hours(last)), key...)
}
