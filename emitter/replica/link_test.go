package replica

import (
	"context"
	"time"

	"github.com/sidehook/sidehook/emitter/replica/memory"
)

// slowLink takes its time for each message.
type slowLink struct {
	*memory.Connection
	latency time.Duration
}

func (l *slowLink) See(ctx context.Context, message []byte) error {
	time.Sleep(l.latency)
	return l.Connection.See(ctx, message)
}
