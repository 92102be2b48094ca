package record

import (
	"log/slog"
	"sync"
	"time"
)

// complaintEvery is how often one and the same trouble is logged.
const complaintEvery = time.Minute

// complaints logs each kind of trouble once a minute: what happens to one
// exchange in a hundred must not fill a disk.
type complaints struct {
	logger *slog.Logger
	now    func() time.Time

	mu   sync.Mutex
	last map[string]time.Time
}

func newComplaints(logger *slog.Logger, now func() time.Time) *complaints {
	return &complaints{logger: logger, now: now, last: map[string]time.Time{}}
}

// say logs the message unless it was logged within the last minute. Messages
// are constants, so last stays as small as the program has messages.
func (c *complaints) say(message string, args ...any) {
	c.mu.Lock()
	now := c.now()
	last, said := c.last[message]
	due := !said || now.Sub(last) >= complaintEvery
	if due {
		c.last[message] = now
	}
	c.mu.Unlock()
	if due {
		c.logger.Warn(message, args...)
	}
}
