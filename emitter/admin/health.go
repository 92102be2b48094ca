package admin

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// readyTimeout bounds the check of the app for /ready.
const readyTimeout = time.Second

// NotRecording begins the second line of the response of /ready while the state
// file cannot be written; the reason follows.
const NotRecording = "not recording: "

var errDraining = errors.New("shutting down")

// live responds whenever the process runs. It depends on nothing else, since a
// restart would cure nothing else.
func (a *Admin) live(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") }

// ready reports whether participants can be served. Dead targets and a store
// that cannot be written don't keep participants away; the response names the latter,
// but for one of several replicas, whose observations go to all of them or to its spill.
func (a *Admin) ready(w http.ResponseWriter, r *http.Request) {
	err := a.notReady(r.Context())
	status, text := http.StatusOK, "ok"
	if err != nil {
		status, text = http.StatusServiceUnavailable, err.Error()
	}
	if open, reason := a.config.Store.State(); !open && a.config.Replicas == nil {
		text += "\n" + NotRecording + reason
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	fmt.Fprintln(w, text)
}

// notReady returns why participants are not to be sent here, nil if they are.
func (a *Admin) notReady(ctx context.Context) error {
	if a.draining.Load() {
		return errDraining
	}
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	return a.config.Ready(ctx)
}
