package admin

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/sidehook/sidehook/emitter/live"
)

const (
	// feedInterval is how often a feed sends what has happened.
	feedInterval = 250 * time.Millisecond
	// feedBatch is how many entries it sends each time. More could not be read by a
	// person, and would take time from participants.
	feedBatch = 25
	// feedIdle is how long a feed may send nothing before it sends a comment, by
	// which both ends notice that the other is gone.
	feedIdle = 15 * time.Second
)

// feed sends what happens as server-sent events (HTML Living Standard, section
// 9.2): a live.Entry each, and an event "missed" with the number of entries that
// were left out. It ends when the client goes away or is not admitted any more, or when
// sidehook stops.
func (a *Admin) feed(w http.ResponseWriter, r *http.Request) {
	values := r.URL.Query()
	filter := live.Filter{Target: values.Get("target"), Survey: values.Get("survey"), Event: values.Get("event"), Outcome: values.Get("outcome")}
	subscription, err := a.config.Activity.Subscribe(filter)
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	defer subscription.Close()
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Time{})
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	ticker := time.NewTicker(feedInterval)
	defer ticker.Stop()
	var sent time.Time
	for {
		entries, missed := subscription.Take(feedBatch)
		if len(entries) > 0 || missed > 0 || time.Since(sent) > feedIdle {
			_ = control.SetWriteDeadline(time.Now().Add(requestTimeout))
			if writeEntries(w, entries, missed) != nil || control.Flush() != nil {
				return
			}
			sent = time.Now()
		}
		select {
		case <-ticker.C:
			if !isAdmitted(r) {
				return
			}
		case <-r.Context().Done():
			return
		case <-a.stopping.Done():
			return
		}
	}
}

// writeEntries writes entries as events, or a comment if there are none.
func writeEntries(w http.ResponseWriter, entries []live.Entry, missed int) error {
	if len(entries) == 0 && missed == 0 {
		_, err := fmt.Fprint(w, ":\n\n")
		return err
	}
	for i := range entries {
		content, err := json.Marshal(&entries[i]) // never has a line break
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "data: %s\n\n", content); err != nil {
			return err
		}
	}
	if missed == 0 {
		return nil
	}
	_, err := fmt.Fprintf(w, "event: missed\ndata: %d\n\n", missed)
	return err
}
