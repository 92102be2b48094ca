package admin

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"time"
)

// backupLimit bounds a backup: what is freed meanwhile can't be used again.
const backupLimit = 5 * time.Minute

// backup sends the state file as it is now. It is no state file yet: see SaveBackup.
func (a *Admin) backup(w http.ResponseWriter, r *http.Request) {
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Time{})
	ctx, cancel := context.WithTimeout(r.Context(), backupLimit)
	defer cancel()
	begun := false
	err := a.config.Store.Backup(ctx, func(size int64) io.Writer {
		begun = true
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
		return &patient{w, control}
	})
	switch {
	case err != nil && begun:
		a.config.Logger.Warn("a backup was broken off", "cause", err)
		panic(http.ErrAbortHandler)
	case err != nil:
		refuse(w, err)
	}
}

// patient writes for as long as something is taken every requestLimit.
type patient struct {
	io.Writer
	control *http.ResponseController
}

func (p *patient) Write(b []byte) (int, error) {
	if err := p.control.SetWriteDeadline(time.Now().Add(requestLimit)); err != nil {
		return 0, err
	}
	return p.Writer.Write(b)
}
