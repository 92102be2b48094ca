package outbox

import (
	"encoding/binary"
	"time"
)

// Journey returns what PutJourney kept under key.
func (tx *Tx) Journey(key string) (data []byte, ok bool) {
	record := tx.get(bucketJourneys, []byte(key))
	if len(record) < 8 {
		return nil, false
	}
	return record[8:], true
}

// PutJourney keeps data under key until Retention.Journeys after lastExchange.
// pages are the hashes of the page definitions that data refers to; they are
// kept as long.
func (tx *Tx) PutJourney(key string, data []byte, lastExchange time.Time, pages ...string) {
	if key == "" {
		tx.fail(errNoKey)
		return
	}
	if old := tx.get(bucketJourneys, []byte(key)); len(old) >= 8 {
		tx.moveJourney(key, lastExchangeOf(old), lastExchange)
	} else {
		tx.put(bucketJourneyAge, journeyAgeKey(key, lastExchange), nil)
	}
	record := binary.BigEndian.AppendUint64(make([]byte, 0, 8+len(data)), uint64(nanos(lastExchange)))
	tx.put(bucketJourneys, []byte(key), append(record, data...))
	for _, page := range pages {
		tx.usePage(page)
	}
}

// moveJourney moves a journey in the index of ages, which counts in hours so
// that it seldom has to.
func (tx *Tx) moveJourney(key string, from, to time.Time) {
	if hours(from) == hours(to) {
		return
	}
	tx.delete(bucketJourneyAge, journeyAgeKey(key, from))
	tx.put(bucketJourneyAge, journeyAgeKey(key, to), nil)
}

// MarkUnsettled remembers that the journey has an event whose answers are still
// in flight, until ClearUnsettled.
func (tx *Tx) MarkUnsettled(key string) {
	if key == "" {
		tx.fail(errNoKey)
		return
	}
	tx.put(bucketUnsettled, []byte(key), nil)
}

// ClearUnsettled forgets what MarkUnsettled remembered.
func (tx *Tx) ClearUnsettled(key string) { tx.delete(bucketUnsettled, []byte(key)) }

// Unsettled lists the journeys that are marked, in no order that means anything.
func (tx *Tx) Unsettled() []string {
	var keys []string
	cursor := tx.bucket(bucketUnsettled).Cursor()
	for key, _ := cursor.First(); key != nil; key, _ = cursor.Next() {
		keys = append(keys, string(key))
	}
	return keys
}

func lastExchangeOf(record []byte) time.Time {
	return fromNanos(int64(binary.BigEndian.Uint64(record)))
}

func hours(t time.Time) uint32 { return uint32(nanos(t) / int64(time.Hour)) }

func journeyAgeKey(key string, last time.Time) []byte {
	return append(binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(key)), hours(last)), key...)
}
