package admin

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"time"

	"github.com/sidehook/sidehook/emitter/record"
)

const (
	// ForgetTimeout bounds the erasure of a participant, who may be one in millions.
	ForgetTimeout = 10 * time.Minute
	// maxForgetRequest is the longest body of a ForgetRequest, in bytes.
	maxForgetRequest = 16 << 10
)

// ForgetRequest names the participant to erase, in a body because URLs get logged.
type ForgetRequest struct {
	Participant string `json:"participant"`
	// Survey limits it to one survey, empty for all.
	Survey string `json:"survey,omitempty"`
}

// Erased counts what was erased.
type Erased record.Forgotten

// forget erases a participant. Once started it ends even if the client is gone.
func (a *Admin) forget(w http.ResponseWriter, r *http.Request) {
	var request ForgetRequest
	if err := json.NewDecoder(io.LimitReader(r.Body, maxForgetRequest)).Decode(&request); err != nil || request.Participant == "" {
		http.Error(w, `the body must name a participant: {"participant": "...", "survey": "..."}`, http.StatusBadRequest)
		return
	}
	if err := a.checkOpen(); err != nil {
		refuse(w, err)
		return
	}
	ctx, cancel := outlast(w, r, ForgetTimeout)
	defer cancel()
	erased, err := a.config.Forget(ctx, request.Participant, request.Survey)
	a.config.Logger.Info("an operator erased a participant", "journeys", erased.Journeys,
		"deliveries", erased.Pending+erased.Dead+erased.Delivered, "complete", err == nil)
	if err != nil {
		refuse(w, err)
		return
	}
	respond(w, Erased(erased))
}

// outlast returns a context for work that takes up to a limit and ends even if the client
// is gone, and gives the connection that time.
func outlast(w http.ResponseWriter, r *http.Request, limit time.Duration) (context.Context, context.CancelFunc) {
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Time{})
	_ = control.SetWriteDeadline(time.Now().Add(limit + requestTimeout))
	return context.WithTimeout(context.WithoutCancel(r.Context()), limit)
}
