package admin

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"time"
)

// BackupTimeout bounds a backup: pages freed meanwhile cannot be reused.
const BackupTimeout = 5 * time.Minute

// backup sends a snapshot of the state file, which outbox.FinishCopy turns into
// one that can be opened.
func (a *Admin) backup(w http.ResponseWriter, r *http.Request) {
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Time{})
	ctx, cancel := context.WithTimeout(r.Context(), BackupTimeout)
	defer cancel()
	started := false
	err := a.config.Store.Backup(ctx, func(size int64) io.Writer {
		started = true
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
		return &steadyWriter{w, control}
	})
	switch {
	case err != nil && started:
		a.config.Logger.Warn("a backup was aborted", "error", err)
		panic(http.ErrAbortHandler)
	case err != nil:
		refuse(w, err)
	}
}

// steadyWriter fails once a single write takes longer than requestTimeout.
type steadyWriter struct {
	io.Writer
	control *http.ResponseController
}

func (s *steadyWriter) Write(p []byte) (int, error) {
	if err := s.control.SetWriteDeadline(time.Now().Add(requestTimeout)); err != nil {
		return 0, err
	}
	return s.Writer.Write(p)
}
