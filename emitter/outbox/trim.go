package outbox

import (
	"bytes"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/sidehook/sidehook/rules/config"
)

const (
	// maxTrim bounds how many records one commit drops, so that trimming never makes
	// it slow. One that adds more may drop as many more, so that trimming keeps pace.
	maxTrim = 256
	// trimPause is how often a busy writer trims once nothing was left to drop.
	trimPause = time.Second
)

// trimmer drops what is past its retention and what its share of the file has no
// room for, a few records with each commit. Pending deliveries are never dropped:
// Tx.Enqueue refuses those that there is no room for.
type trimmer struct {
	retention config.Retention
	log       *slog.Logger
	refusals  refusals
	evictions evictions
	// behind reports that there is more to drop.
	behind bool
	next   time.Time
	// page is where the walk through the pages continues.
	page []byte
	// counts is where that through the statistics does, countsTrimmed the day before
	// which they have none.
	counts        []byte
	countsTrimmed uint32
	overflows     overflows

	trimmed              uint64
	fileBytes, usedBytes int64
	// measuredBytes is what was in use when no checkpoint ran last, measuredTotal the
	// total of the ledger then.
	measuredBytes, measuredTotal int64
	// fillerBytes is how much of the file Scrub has filled for the moment.
	fillerBytes int64
	// ledger is that of the last commit, for the metrics.
	ledger atomic.Pointer[ledger]
}

func (t *trimmer) init(retention config.Retention, log *slog.Logger) {
	t.retention = retention
	t.log = log
	t.refusals.init(log)
	t.evictions.init(log)
	t.overflows.init(log)
}

// restart makes it as it is when a file was opened.
func (t *trimmer) restart() {
	t.behind, t.next, t.page, t.counts, t.countsTrimmed = false, time.Time{}, nil, nil, 0
	t.measuredBytes, t.measuredTotal = 0, 0
}

// size is how much of the file can be in use, so that it is never larger than
// retention.size together with the journal: two segments go there, longer by their
// last commits, and a checkpoint writes as much again before it frees what it replaces.
func (t *trimmer) size() budget {
	size := int64(t.retention.Size)
	if size == 0 {
		return 0
	}
	return budget(size - 5*segmentOf(size))
}

// begin prepares a transaction.
func (t *trimmer) begin(tx *Tx) {
	tx.size, tx.refusals, tx.overflows = t.size(), &t.refusals, &t.overflows
	tx.readLedger()
	tx.After(func() { t.ledger.Store(&tx.ledger) })
}

// trim drops what one commit may drop.
func (t *trimmer) trim(tx *Tx) {
	t.measure(tx)
	isDue, isOver := t.behind || !tx.now.Before(t.next), t.isOver(tx)
	if !isDue && !isOver {
		return
	}
	t.behind = false
	if isDue {
		t.expire(tx)
	}
	if isOver {
		t.evict(tx)
	}
	tx.After(t.evictions.report)
}

// expire drops what is past its retention.
func (t *trimmer) expire(tx *Tx) {
	budget := maxTrim
	for _, target := range tx.allTargets() {
		budget -= t.trimDone(tx, target.number, Delivered, t.cutoff(tx, t.retention.Delivered), budget)
		budget -= t.trimDone(tx, target.number, Dead, t.cutoff(tx, t.retention.Dead), budget)
	}
	budget -= t.trimJourneys(tx, budget)
	budget -= t.trimCounts(tx, budget)
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
// what the journal has. While a checkpoint runs, nobody knows how much of that it
// has already: then the use is that before the checkpoint, and what the ledger has
// more since.
func (t *trimmer) measure(tx *Tx) {
	stats := tx.view.bolt.DB().Stats()
	free := stats.FreePageN + stats.PendingPageN
	t.fileBytes = tx.view.bolt.Size()
	if isMoving := len(tx.view.layers) > 2; !isMoving || t.measuredBytes == 0 {
		t.measuredBytes = t.fileBytes - int64(free)*int64(tx.view.bolt.DB().Info().PageSize) + int64(tx.view.grown()) - t.fillerBytes
		t.measuredTotal = tx.ledger.total()
	}
	t.usedBytes = max(t.measuredBytes+tx.ledger.total()-t.measuredTotal, 0)
}

// trimDone drops a target's deliveries that finished before cutoff.
func (t *trimmer) trimDone(tx *Tx, target uint32, state State, cutoff time.Time, limit int) (dropped int) {
	expired := tx.doneBefore(target, state, cutoff, limit)
	for _, key := range expired {
		tx.dropFinished(key, state)
	}
	return len(expired)
}

// trimJourneys drops the journeys whose last exchange is too long ago.
func (t *trimmer) trimJourneys(tx *Tx, limit int) (dropped int) {
	cutoff := t.cutoff(tx, t.retention.Journeys)
	if cutoff.IsZero() {
		return 0
	}
	for g := range journeyGroup(groupCount) {
		_, work, _ := tx.dropOldest(g, func(next time.Time, work int) bool {
			return !next.Before(cutoff) || dropped+work >= limit
		})
		dropped += work
	}
	return dropped
}

// trimPages continues its walk through the pages and drops those that were not
// used for so long that no journey can be left that refers to them. Where pages
// have little room, it drops those that were not used today.
func (t *trimmer) trimPages(tx *Tx) {
	var oldest uint32
	if cutoff := t.cutoff(tx, t.retention.Journeys); !cutoff.IsZero() {
		oldest = days(cutoff) - 1
	}
	if isCrowded := tx.ledger.bytes[sharePages] > t.size().of(sharePages)/4*3; isCrowded {
		oldest = days(tx.now)
	}
	if oldest == 0 {
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
		if dayOf(day) < oldest {
			unused = append(unused, bytes.Clone(key))
		}
	}
	for _, key := range unused {
		tx.delete(bucketPageUse, key)
		tx.delete(bucketPages, key)
	}
}
