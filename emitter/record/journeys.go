package record

import (
	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/rules"
)

// journeys implements rules.Journeys by the state file, within one transaction.
type journeys struct {
	tx *outbox.Tx
	// run is this run of the Recorder: it alone can finish what a journey waits for.
	run string
}

// Head implements rules.Journeys.
func (j journeys) Head(key rules.Key) []byte {
	head, _ := j.tx.Journey(key.Text())
	return head
}

// PutHead implements rules.Journeys.
func (j journeys) PutHead(key rules.Key, head []byte, mark rules.Mark) {
	text := key.Text()
	changed := j.tx.PutJourney(text, head, outbox.Mark{
		LastExchange: mark.At, Size: len(head) + mark.Size, HasEvents: mark.HasEvents, AwaitsSilence: mark.AwaitsSilence,
	})
	if !changed {
		return
	}
	if mark.IsUnfinished {
		j.tx.MarkUnsettled(text, j.run)
	} else {
		j.tx.ClearUnsettled(text)
	}
}

// Drop implements rules.Journeys.
func (j journeys) Drop(key rules.Key) { j.tx.DropJourney(key.Text()) }

// Part implements rules.Journeys.
func (j journeys) Part(key rules.Key, name string) []byte { return j.tx.JourneyPart(key.Text(), name) }

// PutPart implements rules.Journeys.
func (j journeys) PutPart(key rules.Key, name string, part []byte) {
	if part == nil {
		j.tx.DeleteJourneyPart(key.Text(), name)
		return
	}
	j.tx.PutJourneyPart(key.Text(), name, part)
}

// Parts implements rules.Journeys.
func (j journeys) Parts(key rules.Key, prefix string) []string {
	return j.tx.JourneyParts(key.Text(), prefix)
}

// Page implements rules.Journeys.
func (j journeys) Page(name string) []byte { return j.tx.Page(name) }

// PutPage implements rules.Journeys.
func (j journeys) PutPage(definition []byte) (name string, isKept bool) {
	return j.tx.PutPage(definition)
}
