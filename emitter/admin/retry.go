package admin

import (
	"net/http"
	"net/url"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"
)

// retry makes pending deliveries that wait for their next attempt due now.
func (a *Admin) retry(w http.ResponseWriter, r *http.Request) {
	selected, err := readRetry(r.URL.Query(), time.Now())
	if err != nil {
		refuse(w, err)
		return
	}
	allow := func(*outbox.Delivery) error { return nil }
	done, err := a.runStep(r.Context(), selected, allow, retryAll)
	if err != nil {
		refuse(w, err)
		return
	}
	if done.Count > 0 && !selected.dryRun {
		a.config.Logger.Info("an operator had deliveries retried now", "count", done.Count)
	}
	respond(w, done.BulkResult)
}

// readRetry reads a selection of pending deliveries.
func readRetry(values url.Values, now time.Time) (selection, error) {
	if !narrows(values) {
		return selection{}, errSelection
	}
	if state := values.Get("state"); state != "" && CheckState(state) == nil && states[state][0] != outbox.Waiting {
		return selection{}, refusal{http.StatusBadRequest, "only pending deliveries can be retried; redeliver others"}
	}
	if values.Get("state") == "" {
		values.Set("state", "pending")
	}
	return readSelection(values, now)
}

func retryAll(tx *outbox.Tx, found []*outbox.Delivery) (done step) {
	for _, d := range found {
		waits := d.State == outbox.Waiting && d.Due.After(time.Now())
		if waits && (tx == nil || tx.RetryNow(d.Seq)) {
			done.Count++
		} else {
			done.Pending++
		}
	}
	return done
}
