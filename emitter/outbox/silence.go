package outbox

import (
	"bytes"
	"encoding/binary"
	"math"
	"time"
)

// For how long a journey is silent is counted in minutes for which processes had the
// store open, not read from a clock: no clock that is set makes a silence longer, nor
// does the time while sidehook was down, of which nobody knows what went unheard.
//
//	meta         minutes → the minute that it is
//	journeys     key → …, heard, filed, …
//	journey_age  0xff, filed, key → nothing
//
// filed is the minute of an exchange, though not always of the last one, which is
// heard: a journey that goes on stays where it is, which saves a write, and moves when
// its turn comes. Both are zero in journeys that an earlier release has put; those
// await a silence from their next exchange on.

// minute is a number of minutes, from 1.
type minute uint64

var keyMinutes = []byte("minutes")

// silenceGroup stands in place of a group in the keys of journey_age that have a minute
// in place of a time.
const silenceGroup = journeyGroup(0xfe)

func newSilenceKey(key string, filed minute) ageKey {
	prefix := binary.BigEndian.AppendUint64(agePrefix(silenceGroup), uint64(filed))
	return append(prefix, key...)
}

func (k ageKey) filed() minute { return minute(binary.BigEndian.Uint64(k[1:])) }

// minute returns the minute that it is. Where the record was lost it is not before that
// of any journey.
func (tx *Tx) minute() minute {
	if tx.isMinute > 0 {
		return tx.isMinute
	}
	tx.isMinute = 1
	if record := tx.get(bucketMeta, keyMinutes); len(record) == 8 {
		tx.isMinute = minute(binary.BigEndian.Uint64(record))
		return tx.isMinute
	}
	end := binary.BigEndian.AppendUint64(agePrefix(silenceGroup), math.MaxUint64)
	for key := range tx.view.descend(bucketJourneyAge, agePrefix(silenceGroup), end) {
		tx.isMinute = ageKey(key).filed()
		break
	}
	return tx.isMinute
}

// PassMinute begins another minute, if a journey awaits a silence.
func (tx *Tx) PassMinute() {
	if tx.view.first(bucketJourneyAge, agePrefix(silenceGroup)) == nil {
		return
	}
	tx.isMinute = tx.minute() + 1
	tx.put(bucketMeta, keyMinutes, uint64Key(uint64(tx.isMinute)))
}

// Silent returns the keys of journeys that await a silence, with a last exchange more
// than so many minutes ago. It looks at up to limit journeys after a position, "" for
// the first ones, and returns the next position, "" at the end. The journeys await
// their silence until PutJourney is called with a Mark that denies it.
func (tx *Tx) Silent(minutes int, after string, limit int) (keys []string, next string) {
	window, next := tx.filedBefore(minutes, after, limit)
	for _, at := range window {
		key := at.journey()
		r, ok := tx.journey(key)
		if isElsewhere := !ok || r.filed != at.filed(); isElsewhere { // of a damaged file
			tx.delete(bucketJourneyAge, at)
			continue
		}
		if r.heard > r.filed {
			tx.refile(key, r, r.heard)
		}
		if tx.isBefore(r.heard, minutes) {
			keys = append(keys, key)
		}
	}
	return keys, next
}

// filedBefore returns the keys of the index that Silent looks at.
func (tx *Tx) filedBefore(minutes int, after string, limit int) (window []ageKey, next string) {
	start := agePrefix(silenceGroup)
	if after != "" {
		start = append([]byte(after), 0)
	}
	for key := range tx.view.ascend(bucketJourneyAge, agePrefix(silenceGroup), start) {
		switch at := ageKey(key); {
		case !tx.isBefore(at.filed(), minutes):
			return window, ""
		case len(window) == limit:
			return window, string(window[limit-1])
		default:
			window = append(window, bytes.Clone(at))
		}
	}
	return window, ""
}

// isBefore reports whether more than so many whole minutes lie behind a minute.
func (tx *Tx) isBefore(m minute, minutes int) bool { return m+minute(minutes) < tx.minute() }

// SilentSince returns when the last exchange of a journey was, if Silent would find
// the journey.
func (tx *Tx) SilentSince(key string, minutes int) (last time.Time, isSilent bool) {
	r, ok := tx.journey(key)
	return r.last, ok && r.filed > 0 && tx.isBefore(r.heard, minutes)
}

// PutOffSilence has Silent pass over a journey until the next minute.
func (tx *Tx) PutOffSilence(key string, minutes int) {
	if r, ok := tx.journey(key); ok && r.filed > 0 && tx.isBefore(r.filed, minutes) {
		tx.refile(key, r, tx.minute()-minute(minutes))
	}
}

// refile moves a journey to another minute, 0 for none.
func (tx *Tx) refile(key string, r journeyRecord, filed minute) {
	tx.moveSilence(key, r.filed, filed)
	r.filed = filed
	tx.put(bucketJourneys, []byte(key), r.encode())
}

// moveSilence moves a journey in the index alone.
func (tx *Tx) moveSilence(key string, from, to minute) {
	if from == to {
		return
	}
	if from > 0 {
		tx.delete(bucketJourneyAge, newSilenceKey(key, from))
	}
	if to > 0 {
		tx.put(bucketJourneyAge, newSilenceKey(key, to), isMarked)
	}
}
