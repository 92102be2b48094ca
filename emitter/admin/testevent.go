package admin

import (
	"cmp"
	"net/http"
	"time"

	"github.com/sidehook/sidehook/emitter/sample"
	"github.com/sidehook/sidehook/rules/config"
)

// maxTests is how many test events may be in flight.
const maxTests = 4

// test sends a test event to a target, a completion unless another is named, and
// responds with what the target answered. Nothing of it is stored.
func (a *Admin) test(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	if err := a.checkConfigured(name); err != nil {
		refuse(w, err)
		return
	}
	select {
	case a.testing <- struct{}{}:
		defer func() { <-a.testing }()
	default:
		http.Error(w, "other test events are in flight: try again when they have ended", http.StatusServiceUnavailable)
		return
	}
	current := a.current.Load()
	control := http.NewResponseController(w)
	_ = control.SetWriteDeadline(time.Now().Add(time.Duration(current.Targets[name].Timeout) + requestTimeout))
	event := config.EventName(cmp.Or(r.URL.Query().Get("event"), string(config.Completion)))
	options := sample.Options{Config: current, Version: a.config.Version, Logger: a.config.Logger}
	answer, err := sample.Send(r.Context(), options, name, event)
	if err != nil {
		refuse(w, badRequest(err))
		return
	}
	a.config.Logger.Info("an operator sent a test event", "target", name, "outcome", answer.Outcome, "status", answer.Status)
	respond(w, answer)
}
