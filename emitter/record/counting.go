package record

import (
	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/rules"
)

// count adds to the statistics of surveys. They are on disk together with the journey
// that they were counted of, so that nothing is counted twice.
func count(tx *outbox.Tx, counts []rules.Count) {
	for i := range counts {
		c := &counts[i]
		one := outbox.Count{
			What: c.What, At: c.At, Took: c.Took,
			Survey: outbox.SurveyNames{ID: c.Survey.ID, Instance: c.Survey.Instance, FriendlyID: c.Survey.FriendlyID},
		}
		if c.Page.ID != "" {
			one.Page = &outbox.CountedPage{ID: c.Page.ID, Number: c.Page.Number, Position: c.Page.Position}
			if c.Page.Name != nil {
				one.Page.Name, one.IsPersonal = *c.Page.Name, c.IsPersonal
			}
		}
		tx.Count(one)
	}
}
