package demo

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
)

const (
	noInstance = "Survey Instance could not be found."
	// maxEventBody is the largest body of a request, in bytes.
	maxEventBody = 1 << 20
)

// record handles POST /api/log/{instanceId}/{participant}/{source}/{type}. As in
// Decsys, any source and type will do.
func (a *App) record(w http.ResponseWriter, r *http.Request, vars variables) {
	if !a.knowsInstance(w, r, vars) {
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxEventBody))
	var payload bytes.Buffer
	isObject := err == nil && json.Compact(&payload, body) == nil && payload.Bytes()[0] == '{'
	if !isObject {
		sendEmpty(w, http.StatusInternalServerError)
		return
	}
	a.mu.Lock()
	a.add(vars["participant"], vars["source"], vars["type"], payload.Bytes())
	a.mu.Unlock()
	w.WriteHeader(http.StatusNoContent)
}

// serveEvents handles GET /api/log/{instanceId}/{participant}: all events of a
// participant, none for an unknown one.
func (a *App) serveEvents(w http.ResponseWriter, r *http.Request, vars variables) {
	if !a.knowsInstance(w, r, vars) {
		return
	}
	sendJSON(w, r, append([]event{}, a.eventsOf(vars["participant"])...))
}

// serveLatest handles GET /api/log/{instanceId}/{participant}/{source?}/{type}: the
// last event of that type.
func (a *App) serveLatest(w http.ResponseWriter, r *http.Request, vars variables) {
	if !a.knowsInstance(w, r, vars) {
		return
	}
	events := a.eventsOf(vars["participant"])
	i := events.last(vars["source"], vars["type"])
	if i < 0 {
		sendEmpty(w, http.StatusNotFound)
		return
	}
	sendJSON(w, r, events[i])
}

// eventsOf returns a snapshot of a participant's events.
func (a *App) eventsOf(id string) participant {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.log.of(id)
}

// add stores an event and stamps it. The caller must hold a.mu.
func (a *App) add(id, source, kind string, payload json.RawMessage) {
	a.log.add(id, event{Timestamp: instant(a.options.Now()), Source: source, Type: kind, Payload: payload})
}

// knowsInstance reports whether the instance exists, and responds if it does not.
func (a *App) knowsInstance(w http.ResponseWriter, r *http.Request, vars variables) bool {
	ids, ok := vars.numbers(a, w, "instanceId")
	if ok && ids[0] != a.options.Survey.Instance {
		send(w, r, http.StatusNotFound, textPlain, []byte(noInstance))
		return false
	}
	return ok
}
