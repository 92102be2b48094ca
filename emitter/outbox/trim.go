package outbox

import (
	"bytes"
	"encoding/binary"
	"log/slog"
	"time"

	"github.com/sidehook/sidehook/rules/config"
)

const (
	// maxTrim bounds how many records one commit trims, so that trimming never makes one slow.
	maxTrim = 256
	// trimPause is how long a busy writer leaves trimming alone once all is trimmed.
	trimPause = time.Second
)

// trimmer drops what is past its retention, a few records with each commit.
// Pending deliveries are never dropped, whatever their size; when they fill the
// file alone, no more are taken.
type trimmer struct {
	retention config.Retention
	log       *slog.Logger
	tooLarge  everyMinute
	// behind tells that there is more to drop.
	behind bool
	next   time.Time
	// page is where the round through the pages goes on.
	page []byte

	trimmed              uint64
	fileBytes, usedBytes int64
	// fillerBytes is what Scrub fills the file with for a while.
	fillerBytes int64
	// full tells that what is pending fills the file alone.
	full bool
}

// trim drops what one commit may drop.
func (t *trimmer) trim(tx *Tx) {
	t.usedBytes += int64(tx.grown)
	if !t.behind && !t.isOver() && !t.full && tx.now.Before(t.next) {
		return
	}
	t.measure(tx)
	budget := maxTrim
	for _, number := range tx.targetNumbers() {
		budget -= t.trimDone(tx, number, Delivered, t.cutoff(tx, t.retention.Delivered), budget)
		budget -= t.trimDone(tx, number, Dead, t.cutoff(tx, t.retention.Dead), budget)
	}
	budget -= t.trimSize(tx, budget)
	budget -= t.trimJourneys(tx, budget)
	t.trimPages(tx)
	t.trimmed += uint64(maxTrim - budget)
	t.behind = budget <= 0
	t.next = tx.now.Add(trimPause)
}

// cutoff is the time before which something is past its retention, zero when it is kept for ever.
func (t *trimmer) cutoff(tx *Tx, keep config.Duration) time.Time {
	if keep <= 0 {
		return time.Time{}
	}
	return tx.now.Add(-time.Duration(keep))
}

func (t *trimmer) measure(tx *Tx) {
	stats := tx.bolt.DB().Stats()
	free := stats.FreePageN + stats.PendingPageN
	t.fileBytes = tx.bolt.Size()
	t.usedBytes = t.fileBytes - int64(free)*int64(tx.bolt.DB().Info().PageSize) + int64(tx.grown) - t.fillerBytes
}

func (t *trimmer) isOver() bool { return t.retention.Size > 0 && t.usedBytes > int64(t.retention.Size) }

// trimDone drops a target's deliveries that were finished before cutoff.
func (t *trimmer) trimDone(tx *Tx, number uint32, state State, cutoff time.Time, limit int) (dropped int) {
	keys := tx.doneBefore(number, state, cutoff, limit)
	for _, key := range keys {
		tx.dropDelivery(key, state)
	}
	return len(keys)
}

// trimSize drops what was finished first while the file holds more than it may:
// what was delivered, then what is dead.
func (t *trimmer) trimSize(tx *Tx, limit int) (dropped int) {
	t.full = false
	if !t.isOver() {
		return 0
	}
	for excess := t.usedBytes - int64(t.retention.Size); dropped < limit && excess > 0; dropped++ {
		key, state := tx.firstDone()
		if key == nil {
			t.judge(tx)
			break
		}
		excess -= int64(tx.dropDelivery(key, state))
	}
	return dropped
}

// judge tells whether the file is full: of what may not be dropped, most is
// pending. Journeys alone never make it so, since no target can be mended then.
func (t *trimmer) judge(tx *Tx) {
	var pending int64
	for _, name := range tx.targetNames() {
		pending += int64(tx.target(name).PendingBytes)
	}
	t.full = pending > t.usedBytes/2
	if !t.tooLarge.allow(tx.now) {
		return
	}
	if t.full {
		t.log.Error("new events are lost: what is pending fills the state file alone; look for a target that takes nothing, discard what it does not need, or allow a larger retention.size",
			"bytes", t.usedBytes, "size", int64(t.retention.Size))
		return
	}
	t.log.Warn("the state file is larger than retention.size, and all that it holds is still needed: allow more, or keep journeys for a shorter time",
		"bytes", t.usedBytes, "size", int64(t.retention.Size))
}

// trimJourneys drops the journeys whose last exchange is too long ago.
func (t *trimmer) trimJourneys(tx *Tx, limit int) (dropped int) {
	cutoff := t.cutoff(tx, t.retention.Journeys)
	if cutoff.IsZero() {
		return 0
	}
	var keys [][]byte
	cursor := tx.bucket(bucketJourneyAge).Cursor()
	for key, _ := cursor.First(); key != nil && len(keys) < limit && binary.BigEndian.Uint32(key) < hours(cutoff); key, _ = cursor.Next() {
		keys = append(keys, bytes.Clone(key))
	}
	for _, key := range keys {
		tx.delete(bucketJourneyAge, key)
		tx.delete(bucketJourneys, key[4:])
		tx.delete(bucketUnsettled, key[4:])
	}
	return len(keys)
}

// trimPages goes on with its round through the pages, and drops those that no
// journey used for so long that none can be left which does.
func (t *trimmer) trimPages(tx *Tx) {
	cutoff := t.cutoff(tx, t.retention.Journeys)
	if cutoff.IsZero() {
		return
	}
	var unused [][]byte
	cursor := tx.bucket(bucketPageUse).Cursor()
	key, day := cursor.Seek(t.page)
	for n := 0; key != nil && n < maxTrim; n++ {
		if dayOf(day)+1 < days(cutoff) {
			unused = append(unused, bytes.Clone(key))
		}
		key, day = cursor.Next()
	}
	t.page = bytes.Clone(key)
	for _, key := range unused {
		tx.delete(bucketPageUse, key)
		tx.delete(bucketPages, key)
	}
}

func (tx *Tx) targetNames() (names []string) {
	cursor := tx.bucket(bucketTargets).Cursor()
	for name, _ := cursor.First(); name != nil; name, _ = cursor.Next() {
		names = append(names, string(name))
	}
	return names
}

func (tx *Tx) targetNumbers() (numbers []uint32) {
	for _, name := range tx.targetNames() {
		numbers = append(numbers, tx.target(name).number)
	}
	return numbers
}

// doneBefore copies up to limit keys of what a target finished before cutoff.
func (tx *Tx) doneBefore(number uint32, state State, cutoff time.Time, limit int) (keys [][]byte) {
	if cutoff.IsZero() {
		return nil
	}
	end := doneKey(number, state, cutoff, 0)
	cursor := tx.bucket(bucketDone).Cursor()
	for key, _ := cursor.Seek(end[:5]); key != nil && bytes.Compare(key, end) < 0 && len(keys) < limit; key, _ = cursor.Next() {
		keys = append(keys, bytes.Clone(key))
	}
	return keys
}

// firstDone returns the key of what was finished first, of any target.
func (tx *Tx) firstDone() (first []byte, state State) {
	for _, state := range []State{Delivered, Dead} {
		for _, number := range tx.targetNumbers() {
			prefix := doneKey(number, state, time.Time{}, 0)[:5]
			key, _ := tx.bucket(bucketDone).Cursor().Seek(prefix)
			if bytes.HasPrefix(key, prefix) && (first == nil || bytes.Compare(key[5:], first[5:]) < 0) {
				first = bytes.Clone(key)
			}
		}
		if first != nil {
			return first, state
		}
	}
	return nil, 0
}

// dropDelivery deletes all that is kept of a finished delivery, and returns about how much that was.
func (tx *Tx) dropDelivery(doneKey []byte, state State) (size int) {
	seq := lastUint64(doneKey)
	d, size := tx.record(seq)
	tx.target(d.Target).count(state, -1)
	tx.delete(bucketDone, doneKey)
	tx.dropRecords(seq, d)
	tx.delete(bucketProgress, uint64Key(seq))
	return size + 2*progressSize
}
