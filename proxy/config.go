package proxy

import (
	"crypto/tls"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sidehook/sidehook/rules/config"
)

// The defaults of Config.
const (
	defaultInspectLimit  = 1 << 20
	defaultDialWindow    = 2 * time.Second
	defaultHeaderTimeout = 30 * time.Second
	defaultIdleTimeout   = 2 * time.Minute
	defaultConcurrency   = 16 << 10
)

// Times that nobody should have to set.
const (
	// lookAfter is how long, at least, the app may take for its next byte before
	// we begin to look whether the participant is still there; at most it is thrice that.
	lookAfter = 25 * time.Millisecond
	// stall is how long one write may make no headway, or an upload be silent.
	stall = 5 * time.Minute
	// defaultLinger is how long what is left of an upload may be silent once it
	// was answered and the app takes no more of it.
	defaultLinger = 5 * time.Second
	// goneWait is how long the app may take to end its answer to a participant who left.
	goneWait = 30 * time.Second
	// keepIdle is how long a connection to the app is kept for reuse. Kestrel
	// closes idle ones after 130 s; being first avoids the race.
	keepIdle = 30 * time.Second
	// idleLook is how often a shutdown looks for connections that have become idle.
	idleLook = 100 * time.Millisecond
	// forceWait is how long handlers get to return once their connections were closed.
	forceWait = 5 * time.Second
)

// headLimit is the largest head, in bytes, of a request or an answer. It is
// more than Kestrel takes (8 KiB line, 32 KiB headers), so that the app decides.
const headLimit = 64 << 10

// Config says what a Proxy stands in front of. A zero field means its default.
type Config struct {
	// Listen is where participants connect, "host:port"; the host may be empty.
	Listen string
	// App is the app's address, http://host:port, https://host:port or unix:/path.
	App string
	// AppTLS is how an app at https:// is spoken to; by default its certificate
	// must be right by the system's authorities. Versions before 1.2, other
	// protocols than HTTP/1.1 and other names than App's are not taken from it.
	AppTLS *tls.Config
	// Forwarded says what becomes of X-Forwarded-For; the default is to preserve it.
	Forwarded config.Forwarded
	// TrustedProxies are those whose X-Forwarded-*, Forwarded and X-Real-IP reach
	// the app; empty means nobody's do, and nil all, or with replace none.
	TrustedProxies []config.Network
	// Watcher is told of every request; nil means that nothing is watched.
	Watcher Watcher
	// InspectLimit is the largest body, in bytes, that is copied for the
	// Watcher, before and after decoding; default 1 MiB.
	InspectLimit int
	// DialWindow is how long connecting to the app is tried again before the
	// request is answered 503; default 2 s.
	DialWindow time.Duration
	// ResponseTimeout bounds the wait for the head of the app's answer, after
	// which the request is answered 504; the default is no bound but the app's own.
	ResponseTimeout time.Duration
	// HeaderTimeout bounds the arrival of a request's head; default 30 s.
	HeaderTimeout time.Duration
	// IdleTimeout is how long a participant's connection may be silent between
	// requests; default 2 min. It should be longer than the load balancer's.
	IdleTimeout time.Duration
	// Concurrency is how many connections of participants are served at once,
	// tunnels included; more are answered 503. Default 16384.
	Concurrency int
	// Metrics is where the proxy's metrics are registered; nil means nowhere.
	Metrics prometheus.Registerer
	// Logger gets what an operator should know, never what participants send;
	// default slog.Default().
	Logger *slog.Logger
}

// withDefaults fills in what was left zero.
func (c Config) withDefaults() Config {
	setDefault(&c.InspectLimit, defaultInspectLimit)
	setDefault(&c.DialWindow, defaultDialWindow)
	setDefault(&c.HeaderTimeout, defaultHeaderTimeout)
	setDefault(&c.IdleTimeout, defaultIdleTimeout)
	setDefault(&c.Concurrency, defaultConcurrency)
	setDefault(&c.Logger, slog.Default())
	return c
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
