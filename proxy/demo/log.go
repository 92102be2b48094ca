package demo

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
)

const (
	noInstance = "Survey Instance could not be found."
	// maxEventBody is the longest body of an event that is read, in bytes.
	maxEventBody = 1 << 20
)

// record is POST /api/log: it keeps an event of any type for any source.
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

// events is GET /api/log/{i}/{p}: all a participant did; nothing for a stranger.
func (a *App) events(w http.ResponseWriter, r *http.Request, vars variables) {
	if !a.knowsInstance(w, r, vars) {
		return
	}
	sendJSON(w, r, append([]event{}, a.eventsOf(vars["participant"])...))
}

// latest is GET /api/log/{i}/{p}/{source?}/{type}: the last such event.
func (a *App) latest(w http.ResponseWriter, r *http.Request, vars variables) {
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

// eventsOf gives a participant's events up to now; later ones don't change it.
func (a *App) eventsOf(id string) participant {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.log.of(id)
}

// add stores an event with the time it is now. The lock must be held.
func (a *App) add(id, source, kind string, payload json.RawMessage) {
	a.log.add(id, event{Timestamp: instant(a.options.Now()), Source: source, Type: kind, Payload: payload})
}

// knowsInstance answers the request itself when the instance is not ours.
func (a *App) knowsInstance(w http.ResponseWriter, r *http.Request, vars variables) bool {
	ids, ok := vars.numbers(a, w, "instanceId")
	if ok && ids[0] != a.options.Survey.Instance {
		send(w, r, http.StatusNotFound, textPlain, []byte(noInstance))
		return false
	}
	return ok
}
