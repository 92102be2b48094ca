package admin

import (
	"net/http"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"
)

// discard deletes deliveries in any state.
func (a *Admin) discard(w http.ResponseWriter, r *http.Request) {
	selected, err := readSelection(r.URL.Query(), time.Now())
	if err != nil {
		refuse(w, err)
		return
	}
	allow := func(*outbox.Delivery) error { return nil }
	done, err := a.runStep(r.Context(), selected, allow, discardAll)
	if err != nil {
		refuse(w, err)
		return
	}
	if done.Count > 0 && !selected.dryRun {
		a.metrics.discarded.Add(float64(done.Count))
		attrs := []any{"count", done.Count}
		if selected.query.Target != "" {
			attrs = append(attrs, "target", selected.query.Target)
		}
		a.config.Logger.Warn("an operator discarded deliveries", attrs...)
	}
	respond(w, done.BulkResult)
}

func discardAll(tx *outbox.Tx, found []*outbox.Delivery) (done step) {
	for _, d := range found {
		if tx == nil || tx.IsStill(d) && tx.Discard(d.Seq) {
			done.Count++
		} else {
			done.Pending++
		}
	}
	return done
}
