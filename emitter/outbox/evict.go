package outbox

import (
	"bytes"
	"log/slog"
	"time"

	"golang.org/x/time/rate"
)

// evictions count and log what was dropped before its time, once that is on disk.
// Only the writer uses it.
type evictions struct {
	log *slog.Logger
	// evicted is what is not logged yet.
	evicted
	// These throttle one message each.
	logDead, logJourneys, logTooLarge rate.Sometimes
}

// evicted is the number of deliveries and journeys that were dropped.
type evicted struct{ delivered, dead, eventless, journeys int }

func (e evicted) total() int { return e.delivered + e.dead + e.eventless + e.journeys }

func (e *evictions) init(log *slog.Logger) {
	e.log = log
	e.logDead.Interval, e.logJourneys.Interval, e.logTooLarge.Interval = logEvery, logEvery, logEvery
}

func (e *evictions) add(more evicted) {
	e.dead += more.dead
	e.eventless += more.eventless
	e.journeys += more.journeys
}

// report logs what was evicted since it did so last.
func (e *evictions) report() {
	if e.dead > 0 {
		e.logDead.Do(func() {
			e.log.Warn("dropped the deliveries that were dead longest, since dead ones fill their share of retention.size: redeliver or discard them, or raise it",
				"dropped", e.dead)
			e.dead = 0
		})
	}
	if e.eventless+e.journeys > 0 {
		e.logJourneys.Do(func() {
			e.log.Warn("dropped the oldest journeys, since journeys fill their share of retention.size: raise it, or look for who makes up participants",
				"without_events", e.eventless, "with_events", e.journeys)
			e.eventless, e.journeys = 0, 0
		})
	}
}

// isOver reports whether something has more than its share of the file.
func (t *trimmer) isOver(tx *Tx) bool {
	size := t.size()
	return size > 0 && (t.usedBytes > int64(size) || tx.excess(shareDead) > 0 || tx.excess(shareJourneys) > 0)
}

// excess returns by how many bytes a share is exceeded.
func (tx *Tx) excess(s share) int64 { return tx.ledger.bytes[s] - tx.size.of(s) }

// evict drops what the shares have no room for, and delivered deliveries while the
// file is over its size. The file can still be over it, since the bytes of a share
// are an estimate. Then more goes of what is closer to its bound.
func (t *trimmer) evict(tx *Tx) {
	measured := tx.ledger.total()
	excess := func() int64 { return t.usedBytes - int64(t.size()) - (measured - tx.ledger.total()) }
	e := &eviction{tx: tx, room: maxTrim + tx.added}
	e.dropDone(Dead, tx.excess(shareDead))
	e.dropJourneys(tx.excess(shareJourneys))
	e.dropDone(Delivered, excess())
	if e.room > 0 && excess() > 0 {
		l := tx.ledger.bytes
		if isDeadFuller := l[shareDead]*percentages[shareJourneys] > l[shareJourneys]*percentages[shareDead]; isDeadFuller {
			e.dropDone(Dead, excess())
		} else {
			e.dropJourneys(excess())
		}
	}
	t.trimmed += uint64(e.total())
	t.behind = t.behind || e.room <= 0
	used, isStuck := t.usedBytes, e.total() == 0
	tx.After(func() {
		t.evictions.add(e.evicted)
		if isStuck {
			t.evictions.logTooLarge.Do(func() {
				t.log.Warn("the state file is larger than retention.size, and all of it is still needed: raise retention.size", "bytes", used, "size", int64(t.size()))
			})
		}
	})
}

// eviction is what one commit evicts.
type eviction struct {
	tx *Tx
	// room is how many more may be dropped.
	room int
	evicted
}

// dropDone drops finished deliveries until they take excess bytes less: those of
// the target that has most, the one that finished first before others.
func (e *eviction) dropDone(state State, excess int64) {
	if excess <= 0 {
		return
	}
	targets := e.tx.allTargets()
	for excess > 0 && e.room > 0 {
		t := heaviest(targets, state)
		if t == nil {
			return
		}
		key := e.tx.firstDone(t.number, state)
		if key == nil { // a damaged record was counted
			e.tx.tally(t, state, 0, -int64(*t.bytesOf(state)))
			continue
		}
		excess -= e.tx.dropFinished(key, state)
		e.room--
		if state == Dead {
			e.dead++
		} else {
			e.delivered++
		}
	}
}

// heaviest returns the target whose deliveries in a state take most, nil if there are none.
func heaviest(targets []*targetRecord, state State) (most *targetRecord) {
	for _, t := range targets {
		if held := *t.bytesOf(state); held > 0 && (most == nil || held > *most.bytesOf(state)) {
			most = t
		}
	}
	return most
}

// firstDone returns the key of a target's delivery that finished first, nil without one.
func (tx *Tx) firstDone(target uint32, state State) []byte {
	return bytes.Clone(tx.view.first(bucketDone, donePrefix(target, state)))
}

// dropJourneys drops journeys until they take excess bytes less: of the group that
// takes most, the oldest first. Anybody can make up journeys that lead to no
// event, so theirs count twice.
func (e *eviction) dropJourneys(excess int64) {
	held := func() int64 { return e.tx.ledger.bytes[shareJourneys] }
	goal := held() - excess
	for e.room > 0 && held() > goal {
		g, ok := e.tx.ledger.fullestGroup()
		if !ok {
			return
		}
		takes := e.tx.ledger.groups[g]
		dropped, work, isEnd := e.tx.dropOldest(g, func(_ time.Time, work int) bool {
			isFair := e.tx.ledger.groups[g] < takes-takes/evictPart // another group may take more now
			return work >= e.room || held() <= goal || isFair
		})
		if isEnd {
			e.tx.ledger.groups[g] = 0 // a damaged record was counted
		}
		e.room -= work
		if g.hasEvents() {
			e.journeys += dropped
		} else {
			e.eventless += dropped
		}
	}
}

// evictPart is which part of what a group takes is dropped before groups are
// compared again.
const evictPart = 16
