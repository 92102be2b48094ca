package jetstream

import (
	"errors"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

// deniedFor is for how long a permission counts as lacking after the servers said so.
const deniedFor = 2 * callTimeout

// errDenied is the error of what the user may not do.
var errDenied = errors.New("the user of the replicas lacks a permission at NATS: give it an account of its own, without restrictions")

// denial is what the servers said last of a permission that is lacking.
type denial struct {
	at   time.Time
	text string
}

// complain takes what the servers say of no call: what a user may not do, which looks
// like servers that do not answer.
func (c *Connection) complain(_ *nats.Conn, _ *nats.Subscription, err error) {
	if !errors.Is(err, nats.ErrPermissionViolation) {
		return
	}
	hidden := c.options.hide(err)
	c.complaints.Do(func() { c.log.Error(errDenied.Error(), "error", hidden) })
	for _, s := range []*stream{c.written, c.seen, c.snapshots} {
		if subject := strings.TrimSuffix(s.subject, ">"); strings.Contains(err.Error(), subject) {
			s.denial.Store(&denial{time.Now(), hidden.Error()})
		}
	}
}

// isDenied reports whether the user may not use the stream, as the servers said lately.
func (s *stream) isDenied() (text string, isDenied bool) {
	d := s.denial.Load()
	if d == nil || time.Since(d.at) > deniedFor {
		return "", false
	}
	return d.text, true
}
