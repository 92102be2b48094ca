package admin

import (
	"bytes"
	"net/http"
	"time"
)

const (
	// MaxHAR is the largest HAR file that can be tried here, in bytes: participants
	// share the memory. The command takes any.
	MaxHAR = 16 << 20
	// tryTimeout bounds how long a HAR file may take to arrive.
	tryTimeout = time.Minute
)

// try sends a HAR file, the body, through the configuration that is in force and
// responds with what `sidehook try` prints. Nothing of it is kept.
func (a *Admin) try(w http.ResponseWriter, r *http.Request) {
	select {
	case a.trying <- struct{}{}:
		defer func() { <-a.trying }()
	default:
		http.Error(w, "another HAR file is being tried: try again when it is done", http.StatusServiceUnavailable)
		return
	}
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(tryTimeout))
	_ = control.SetWriteDeadline(time.Now().Add(tryTimeout + requestTimeout))
	var report bytes.Buffer
	if err := a.config.Try(a.current.Load(), http.MaxBytesReader(w, r.Body, MaxHAR), &report); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = report.WriteTo(w) // the client may be gone
}
