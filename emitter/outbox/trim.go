package outbox

import (
	"bytes"
	"encoding/binary"
	"log/slog"
	"time"

	"golang.org/x/time/rate"

	"github.com/sidehook/sidehook/rules/config"
)

const (
	// maxTrim bounds how many records one commit drops, so that trimming never makes it slow.
	maxTrim = 256
	// trimPause is how often a busy writer trims once nothing was left to drop.
	trimPause = time.Second
)

// trimmer drops what is past its retention, a few records with each commit.
// Pending deliveries are never dropped; if they alone fill the file, it takes no
// further ones.
type trimmer struct {
	retention config.Retention
	log       *slog.Logger
	// logFull and logTooLarge throttle one message each.
	logFull, logTooLarge rate.Sometimes
	// behind reports that there is more to drop.
	behind bool
	next   time.Time
	// page is where the walk through the pages continues.
	page []byte

	trimmed              uint64
	fileBytes, usedBytes int64
	// fillerBytes is how much of the file Scrub has filled for the moment.
	fillerBytes int64
	// full reports that pending deliveries fill the file.
	full bool
}

func (t *trimmer) init(retention config.Retention, log *slog.Logger) {
	t.retention, t.log = retention, log
	t.logFull.Interval, t.logTooLarge.Interval = logEvery, logEvery
}

// trim drops what one commit may drop.
func (t *trimmer) trim(tx *Tx) {
	t.measure(tx)
	if !t.behind && !t.isOver() && !t.full && tx.now.Before(t.next) {
		return
	}
	budget := maxTrim
	for _, target := range tx.targetNumbers() {
		budget -= t.trimDone(tx, target, Delivered, t.cutoff(tx, t.retention.Delivered), budget)
		budget -= t.trimDone(tx, target, Dead, t.cutoff(tx, t.retention.Dead), budget)
	}
	budget -= t.trimSize(tx, budget)
	budget -= t.trimJourneys(tx, budget)
	t.trimPages(tx)
	t.trimmed += uint64(maxTrim - budget)
	t.behind = budget <= 0
	t.next = tx.now.Add(trimPause)
}

// cutoff returns the time before which something is past its retention, zero if it is kept forever.
func (t *trimmer) cutoff(tx *Tx, keep config.Duration) time.Time {
	if keep <= 0 {
		return time.Time{}
	}
	return tx.now.Add(-time.Duration(keep))
}

// measure computes the size of the file and how much of it is in use, once it has
// what the journal has.
func (t *trimmer) measure(tx *Tx) {
	stats := tx.view.bolt.DB().Stats()
	free := stats.FreePageN + stats.PendingPageN
	t.fileBytes = tx.view.bolt.Size()
	t.usedBytes = t.fileBytes - int64(free)*int64(tx.view.bolt.DB().Info().PageSize) + int64(tx.view.grown()) - t.fillerBytes
}

func (t *trimmer) isOver() bool {
	return t.retention.Size > 0 && t.usedBytes > int64(t.retention.Size)
}

// trimDone drops a target's deliveries that finished before cutoff.
func (t *trimmer) trimDone(tx *Tx, target uint32, state State, cutoff time.Time, limit int) (dropped int) {
	expired := tx.doneBefore(target, state, cutoff, limit)
	for _, key := range expired {
		tx.dropFinished(key, state)
	}
	return len(expired)
}

// trimSize drops what finished first while the file is over its size: delivered
// deliveries, then dead ones.
func (t *trimmer) trimSize(tx *Tx, limit int) (dropped int) {
	t.full = false
	if !t.isOver() {
		return 0
	}
	for excess := t.usedBytes - int64(t.retention.Size); dropped < limit && excess > 0; dropped++ {
		key, state := tx.firstDone()
		if key == nil {
			t.nothingToDrop(tx)
			break
		}
		excess -= int64(tx.dropFinished(key, state))
	}
	return dropped
}

// nothingToDrop decides whether a file over its size is full: most of it is
// pending deliveries. Journeys alone never make it so, for no change of a target
// would help then.
func (t *trimmer) nothingToDrop(tx *Tx) {
	var pending int64
	for _, name := range tx.targetNames() {
		pending += int64(tx.target(name).PendingBytes)
	}
	if t.full = pending > t.usedBytes/2; t.full {
		t.logFull.Do(func() {
			t.log.Error("new events are lost, since pending deliveries fill the state file: look for a target that accepts nothing, discard what it does not need, or raise retention.size",
				"bytes", t.usedBytes, "size", int64(t.retention.Size))
		})
		return
	}
	t.logTooLarge.Do(func() {
		t.log.Warn("the state file is larger than retention.size, and all of it is still needed: raise retention.size, or keep journeys for a shorter time",
			"bytes", t.usedBytes, "size", int64(t.retention.Size))
	})
}

// trimJourneys drops the journeys whose last exchange is too long ago.
func (t *trimmer) trimJourneys(tx *Tx, limit int) (dropped int) {
	cutoff := t.cutoff(tx, t.retention.Journeys)
	if cutoff.IsZero() {
		return 0
	}
	var expired [][]byte
	for key := range tx.view.ascend(bucketJourneyAge, nil, nil) {
		if len(expired) >= limit || binary.BigEndian.Uint32(key) >= hours(cutoff) {
			break
		}
		expired = append(expired, bytes.Clone(key))
	}
	for _, key := range expired {
		tx.deleteJourney(key)
	}
	return len(expired)
}

// trimPages continues its walk through the pages and drops those that were not
// used for so long that no journey can be left that refers to them.
func (t *trimmer) trimPages(tx *Tx) {
	cutoff := t.cutoff(tx, t.retention.Journeys)
	if cutoff.IsZero() {
		return
	}
	var unused [][]byte
	start, n := t.page, 0
	t.page = nil
	for key, day := range tx.view.ascend(bucketPageUse, nil, start) {
		if n++; n > maxTrim {
			t.page = bytes.Clone(key)
			break
		}
		if dayOf(day)+1 < days(cutoff) {
			unused = append(unused, bytes.Clone(key))
		}
	}
	for _, key := range unused {
		tx.delete(bucketPageUse, key)
		tx.delete(bucketPages, key)
	}
}
