package admin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

const (
	// MaxHAR is the largest HAR file that can be tried here, and maxReport the longest
	// report, in bytes: participants share the memory. The command takes longer ones.
	MaxHAR    = 16 << 20
	maxReport = 8 << 20
	// tryTimeout bounds how long a HAR file may take to arrive, and to be tried.
	tryTimeout = time.Minute
)

var errReport = fmt.Errorf("the report is longer than %d bytes: use sidehook try", maxReport)

// try sends a HAR file, the body, through the configuration that is in force and
// responds with what `sidehook try` prints. Nothing of it is kept. It ends early
// when the client goes away or sidehook stops.
func (a *Admin) try(w http.ResponseWriter, r *http.Request) {
	select {
	case a.trying <- struct{}{}:
		defer func() { <-a.trying }()
	default:
		http.Error(w, "another HAR file is being tried: try again when it is done", http.StatusServiceUnavailable)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), tryTimeout)
	defer cancel()
	defer context.AfterFunc(a.stopping, cancel)()
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(tryTimeout))
	_ = control.SetWriteDeadline(time.Now().Add(tryTimeout + requestTimeout))
	var report bytes.Buffer
	err := a.config.Try(ctx, a.current.Load(), http.MaxBytesReader(w, r.Body, MaxHAR), &limitedWriter{&report, maxReport})
	if err == nil && ctx.Err() != nil {
		err = errors.New("it took too long: use sidehook try")
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = report.WriteTo(w) // the client may be gone
}

// limitedWriter refuses what does not fit into left bytes.
type limitedWriter struct {
	to   io.Writer
	left int
}

// Write implements io.Writer.
func (w *limitedWriter) Write(p []byte) (int, error) {
	if w.left -= len(p); w.left < 0 {
		return 0, errReport
	}
	return w.to.Write(p)
}
