package outbox

import (
	"context"
	"io"
	"time"
)

// stallPatience is how long a snapshot may make no progress on its way.
const stallPatience = 30 * time.Second

// transfer ends the context of what is transferred once it has come to a halt.
type transfer struct {
	ctx    context.Context
	cancel context.CancelFunc
	timer  *time.Timer
}

// watch returns the context of a transfer, which ends with ctx too. end must be called.
func watch(ctx context.Context) *transfer {
	t := &transfer{}
	t.ctx, t.cancel = context.WithCancel(ctx)
	t.timer = time.AfterFunc(stallPatience, t.cancel)
	return t
}

// made notes that something was transferred. It returns an error once the transfer
// must end.
func (t *transfer) made() error {
	t.timer.Reset(stallPatience)
	return t.ctx.Err()
}

func (t *transfer) end() {
	t.timer.Stop()
	t.cancel()
}

// watchedReader is a reader whose progress is watched.
type watchedReader struct {
	io.Reader
	transfer *transfer
}

func (r watchedReader) Read(p []byte) (int, error) {
	if err := r.transfer.made(); err != nil {
		return 0, err
	}
	return r.Reader.Read(p)
}
