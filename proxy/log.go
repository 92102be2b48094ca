package proxy

import (
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// logEvery is how often one cause is logged at most.
const logEvery = time.Minute

// calmLog logs each message at most once a minute. Participants cause the
// messages; they must not fill a disk with them.
type calmLog struct {
	*slog.Logger
	mu   sync.Mutex
	last map[string]time.Time
}

func newCalmLog(logger *slog.Logger) *calmLog {
	return &calmLog{Logger: logger, last: map[string]time.Time{}}
}

// warn logs a message. It must be one of a fixed set, since all are remembered.
func (l *calmLog) warn(message string, args ...any) {
	l.mu.Lock()
	now := time.Now()
	due := now.Sub(l.last[message]) >= logEvery
	if due {
		l.last[message] = now
	}
	l.mu.Unlock()
	if due {
		l.Warn(message, args...)
	}
}

// caught recovers from a panic, to be deferred around what must not fail a request.
func (p *Proxy) caught(doing string) { p.recovered(recover(), doing) }

// recovered takes note of a panic. The value stays out of the log: it may hold
// what a participant sent.
func (p *Proxy) recovered(panicked any, doing string) bool {
	if panicked == nil {
		return false
	}
	p.counters.panics.Add(1)
	p.log.warn("caught a panic while "+doing, "type", fmt.Sprintf("%T", panicked))
	return true
}

// silence keeps fasthttp's log lines out: they hold addresses of participants.
type silence struct{}

// Printf drops a line.
func (silence) Printf(string, ...any) {}
