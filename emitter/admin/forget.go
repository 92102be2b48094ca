package admin

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"time"
)

const (
	// forgetLimit bounds the erasure of a participant, who may be one in millions.
	forgetLimit = 10 * time.Minute
	// personLimit is the longest request that names a participant, in bytes.
	personLimit = 16 << 10
)

// person is who is to be forgotten. It stands in a body, since URLs get logged.
type person struct {
	Participant string `json:"participant"`
	Survey      string `json:"survey,omitempty"`
}

// forget erases a participant, to the end even if whoever asked has gone.
func (a *Admin) forget(w http.ResponseWriter, r *http.Request) {
	var who person
	if err := json.NewDecoder(io.LimitReader(r.Body, personLimit)).Decode(&who); err != nil || who.Participant == "" {
		http.Error(w, `say who is to be forgotten: {"participant": "...", "survey": "..."}`, http.StatusBadRequest)
		return
	}
	if !a.isOpen(w) {
		return
	}
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Time{})
	_ = control.SetWriteDeadline(time.Now().Add(forgetLimit + requestLimit))
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), forgetLimit)
	defer cancel()
	erased, err := a.config.Forget(ctx, who.Participant, who.Survey)
	a.config.Logger.Info("an operator had a participant forgotten", "journeys", erased.Journeys,
		"deliveries", erased.Pending+erased.Dead+erased.Delivered, "complete", err == nil)
	if err != nil {
		refuse(w, err)
		return
	}
	answer(w, erased)
}
