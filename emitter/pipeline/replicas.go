package pipeline

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/emitter/replica"
	"github.com/sidehook/sidehook/emitter/replica/jetstream"
	"github.com/sidehook/sidehook/emitter/send"
	"github.com/sidehook/sidehook/rules/config"
)

const (
	// connectWait is how long the start waits for a connection to what replicas share.
	connectWait = time.Second
	// knowWait is how long it waits for the other replicas, where there is a connection.
	knowWait = 5 * time.Second
	// lookEvery is how often it looks.
	lookEvery = 20 * time.Millisecond
)

// Shared is what the replicas of one app share.
type Shared interface {
	outbox.Log
	replica.Link
}

// Replicas are what joins this replica with the others.
type Replicas struct {
	Seer   *replica.Seer
	Roster *replica.Roster

	shared Shared
	// end ends the connection, nil for one that is not our own.
	end func()
}

// newReplicas returns nil for a single sidehook.
func newReplicas(o Options) (*Replicas, error) {
	r := &Replicas{shared: o.Shared}
	name := ""
	if c := o.Config.Replicas; c != nil {
		name = c.Name
	}
	switch {
	case o.Shared == nil && o.Config.Replicas == nil:
		return nil, nil
	case o.Shared == nil:
		connection, err := connect(o.Config.Replicas, o.Logger)
		if err != nil {
			return nil, err
		}
		r.shared, r.end = connection, connection.Close
	}
	r.Seer = replica.NewSeer(replica.SeerOptions{
		Dir: o.Config.State, Link: r.shared, MaxSpill: int64(o.Config.Retention.Size),
		ClockShift:      func() (time.Duration, bool) { return r.Roster.ClockShift() },
		OthersDrainedTo: func() (time.Time, bool) { return r.Roster.DrainedTo() }, Logger: o.Logger, Metrics: o.Metrics,
	})
	r.Roster = replica.NewRoster(replica.RosterOptions{
		Dir: o.Config.State, Link: r.shared, Name: name, Incarnation: r.Seer.Incarnation(), Extra: o.Extra,
		HasUnseen: r.hasUnseen, DrainedTo: r.Seer.DrainedTo, Logger: o.Logger,
	})
	return r, nil
}

// connect begins to connect to the servers of a configuration.
func connect(c *config.Replicas, logger *slog.Logger) (*jetstream.Connection, error) {
	o, err := JetStream(c, logger)
	if err != nil {
		return nil, err
	}
	return jetstream.Open(o)
}

// JetStream returns the options of a connection to the servers of a configuration.
func JetStream(c *config.Replicas, logger *slog.Logger) (o jetstream.Options, err error) {
	o = jetstream.Options{App: c.App, Name: c.Name, Credentials: string(c.Credentials), Logger: logger}
	needsTLS := c.TLS.CA != "" || c.TLS.Cert != ""
	for _, server := range c.Servers {
		address := server.Reveal()
		o.Servers = append(o.Servers, address)
		needsTLS = needsTLS || strings.HasPrefix(address, "tls://")
	}
	if needsTLS {
		o.TLS, err = send.ClientTLS(c.TLS, logger.With("replicas", c.App))
	}
	return o, err
}

// hasUnseen reports whether something waits for the other replicas on this one's disk.
func (r *Replicas) hasUnseen() bool {
	status := r.Seer.Status()
	return status.Records > 0 || status.Waiting > 0
}

// awaitOthers waits until the other replicas are known, unless what is shared cannot be
// reached: nobody waits for that.
func (r *Replicas) awaitOthers(ctx context.Context) {
	wait(ctx, connectWait, r.shared.IsConnected)
	wait(ctx, knowWait, func() bool { return !r.shared.IsConnected() || r.Roster.IsKnown() })
}

// wait waits at most a while until something is so.
func wait(ctx context.Context, atMost time.Duration, isSo func() bool) {
	ctx, cancel := context.WithTimeout(ctx, atMost)
	defer cancel()
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for !isSo() {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// Link is what joins this replica with the others beside the log.
func (r *Replicas) Link() replica.Link { return r.shared }

// close ends the connection, if it is our own.
func (r *Replicas) close() {
	if r != nil && r.end != nil {
		r.end()
	}
}
