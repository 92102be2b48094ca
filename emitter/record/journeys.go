package record

import (
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/rules"
)

// journeys are those in the state file, within one transaction.
type journeys struct {
	recorder *Recorder
	tx       *outbox.Tx
}

// Load implements rules.Journeys. A damaged journey starts over, and is partial.
func (j journeys) Load(key rules.Key) *rules.Journey {
	data, ok := j.tx.Journey(key.Text())
	if !ok {
		return &rules.Journey{}
	}
	journey, err := rules.DecodeJourney(data, j.tx.Page)
	if err != nil {
		r := j.recorder
		if isDue(&r.warnDamaged) {
			r.log.Warn("cannot read a journey; it starts over, and its events are partial", "survey", key.Instance, "error", err)
		}
		return &rules.Journey{Partial: true}
	}
	return journey
}

// Save implements rules.Journeys. It marks journeys with unfinished work, so that
// they are found after a restart.
func (j journeys) Save(key rules.Key, journey *rules.Journey, at time.Time) {
	data, err := journey.Encode(j.tx.PutPage)
	if err != nil {
		r := j.recorder
		if isDue(&r.warnUnsaved) {
			r.log.Warn("cannot save a journey", "survey", key.Instance, "error", err)
		}
		return
	}
	j.tx.PutJourney(key.Text(), data, at)
	if journey.HasUnfinishedWork() {
		j.tx.MarkUnsettled(key.Text())
	} else {
		j.tx.ClearUnsettled(key.Text())
	}
}
