package jetstream

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/time/rate"
)

const (
	// reconnectWait and reconnectJitter are the pause between two attempts to connect.
	reconnectWait, reconnectJitter = 100 * time.Millisecond, 100 * time.Millisecond
	// connectTimeout bounds one attempt to connect, to all servers, one after the other:
	// a replica that starts serves after the first one. Each server has minConnectTimeout.
	connectTimeout, minConnectTimeout = 2 * time.Second, 500 * time.Millisecond
	// pingEvery is how often a silent connection is tried; the second ping without an
	// answer ends it.
	pingEvery = time.Second
	// callTimeout bounds one request to a server, after which it is repeated.
	callTimeout = 2 * time.Second
	// minPause and maxPause bound the exponential backoff after a failure.
	minPause, maxPause = 20 * time.Millisecond, 500 * time.Millisecond
	// complainEvery is how often it is logged that a permission is lacking.
	complainEvery = time.Minute
	// headroom is what a message takes beside its content at most, in bytes.
	headroom = 4 << 10
	// usualPayload is what servers take by default, and mostPayload what is ever used.
	usualPayload, mostPayload = 1 << 20, 4 << 20
)

// Options are the settings of a Connection.
type Options struct {
	// Servers are URLs, as nats://host:4222 or tls://host:4222, with a user and password
	// or a token where the servers want one.
	Servers []string
	// App names what the replicas of one app share, with letters, digits, - and _.
	App string
	// Name is shown among the connections of the servers; it may be empty.
	Name string
	// Credentials is the path of a file with a JWT and its key, empty for none.
	Credentials string
	// TLS is how connections are encrypted; nil encrypts them where a URL says tls, or the
	// server demands it.
	TLS *tls.Config
	// MaxBytes bounds each of the streams; 0 stands for 8 GiB. A full stream takes no more.
	MaxBytes int64
	Logger   *slog.Logger
}

// Connection is an outbox.Log and a replica.Link of one app.
type Connection struct {
	conn *nats.Conn
	js   jetstream.JetStream
	log  *slog.Logger
	// isConnected and maxPayload are kept here, since the client holds its lock while it
	// connects, and participants wait for who asks. maxPayload is 0 before the first time.
	isConnected atomic.Bool
	maxPayload  atomic.Int64
	options     Options
	// written, seen and snapshots are the streams.
	written, seen, snapshots *stream
	// complaints bounds how often a permission is logged that the user lacks.
	complaints rate.Sometimes
	// tornAfter is the constant of this name, but in tests.
	tornAfter time.Duration
}

// Open begins to connect, which goes on in the background until Close. It fails only for
// options that can never work.
func Open(o Options) (*Connection, error) {
	settings, servers, err := o.settings()
	if err != nil {
		return nil, err
	}
	c := &Connection{log: o.Logger, options: o, tornAfter: tornAfter}
	c.written, c.seen, c.snapshots = c.newStream(written), c.newStream(seen), c.newStream(snapshots)
	c.complaints.Interval = complainEvery
	settings = append(settings, nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1), nats.ErrorHandler(c.complain),
		nats.ConnectHandler(c.connected), nats.ReconnectHandler(c.connected),
		nats.DisconnectErrHandler(func(*nats.Conn, error) { c.isConnected.Store(false) }))
	if c.conn, err = nats.Connect(servers, settings...); err != nil {
		return nil, fmt.Errorf("cannot connect to NATS: %w", o.hide(err))
	}
	if c.js, err = jetstream.New(c.conn); err != nil {
		c.conn.Close()
		return nil, fmt.Errorf("cannot use JetStream: %w", o.hide(err))
	}
	return c, nil
}

// Close ends the connection, and with it what still waits for an answer.
func (c *Connection) Close() { c.conn.Close() }

// connected is called by the client for each connection, in turn with what it calls for
// its end.
func (c *Connection) connected(conn *nats.Conn) {
	c.maxPayload.Store(conn.MaxPayload())
	c.isConnected.Store(true)
}

// IsConnected implements replica.Link.
func (c *Connection) IsConnected() bool { return c.isConnected.Load() }

// MaxMessage implements replica.Link.
func (c *Connection) MaxMessage() int {
	most := c.maxPayload.Load()
	if most <= 0 {
		most = usualPayload
	}
	return int(min(most, mostPayload)) - headroom
}

// MaxEntry implements outbox.Log.
func (c *Connection) MaxEntry() int { return c.MaxMessage() }

// settings returns the options of the client, and its list of servers, which has no
// credentials: errors may quote it.
func (o Options) settings() (settings []nats.Option, servers string, err error) {
	settings = []nats.Option{
		nats.Name(strings.TrimSpace("sidehook " + o.Name)), nats.ReconnectWait(reconnectWait), nats.ReconnectJitter(reconnectJitter, reconnectJitter),
		nats.Timeout(max(connectTimeout/time.Duration(max(1, len(o.Servers))), minConnectTimeout)), nats.PingInterval(pingEvery), nats.MaxPingsOutstanding(1),
		nats.ReconnectBufSize(-1), // what cannot be sent now is not sent later
		nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}), // prints to stderr otherwise
	}
	var list []string
	for _, server := range o.Servers {
		u, err := url.Parse(server)
		if err != nil || u.Host == "" {
			return nil, "", errors.New("cannot connect to NATS: the address of a server is not a URL, such as nats://nats:4222")
		}
		if u.User != nil {
			settings = append(settings, login(u.User))
			u.User = nil
		}
		list = append(list, u.String())
	}
	if o.Credentials != "" {
		settings = append(settings, nats.UserCredentials(o.Credentials))
	}
	if o.TLS != nil {
		settings = append(settings, nats.Secure(o.TLS))
	}
	return settings, strings.Join(list, ","), nil
}

// login returns the option for what a URL has of the user.
func login(user *url.Userinfo) nats.Option {
	if password, ok := user.Password(); ok {
		return nats.UserInfo(user.Username(), password)
	}
	return nats.Token(user.Username())
}

// hide removes from the text of an error what must not be shown.
func (o Options) hide(err error) error {
	text := err.Error()
	for _, server := range o.Servers {
		if u, parsed := url.Parse(server); parsed == nil && u.User != nil {
			secret, isPassword := u.User.Password()
			if !isPassword {
				secret = u.User.Username() // a token
			}
			for _, part := range []string{u.User.String(), secret} {
				if part != "" {
					text = strings.ReplaceAll(text, part, "<secret>")
				}
			}
		}
	}
	return hidden{text, err}
}

// hidden is an error with another text.
type hidden struct {
	text  string
	cause error
}

func (h hidden) Error() string { return h.text }

func (h hidden) Unwrap() error { return h.cause }

// pause waits before another attempt, or until ctx ends; it returns the next pause.
func pause(ctx context.Context, d time.Duration) time.Duration {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	return min(2*d, maxPause)
}
