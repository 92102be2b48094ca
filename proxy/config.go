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
	defaultWatchedBodies = 64 << 20
	defaultDialWindow    = 2 * time.Second
	defaultHeaderTimeout = 30 * time.Second
	defaultIdleTimeout   = 2 * time.Minute
	defaultConcurrency   = 16 << 10
)

// Timeouts that need no configuration.
const (
	// watchDelay is how long the app may take for its next byte before somebody
	// watches whether the participant leaves; in fact up to three times as long.
	watchDelay = 25 * time.Millisecond
	// transferIdleTimeout is how long a write may make no progress, and an upload
	// may be silent.
	transferIdleTimeout = 5 * time.Minute
	// defaultLinger is how long the rest of an upload may be silent once it has its
	// response and the app takes no more of it.
	defaultLinger = 5 * time.Second
	// maxLinger is how long all of that rest may take.
	maxLinger = 30 * time.Second
	// abandonedTimeout is how long the app may take for the rest of a response
	// whose participant has left.
	abandonedTimeout = 30 * time.Second
	// keepIdle is how long an idle connection to the app is kept. Kestrel closes
	// it after 130 s; closing it first avoids the race.
	keepIdle = 30 * time.Second
	// idlePoll is how often a shutdown looks for connections that have become idle.
	idlePoll = 100 * time.Millisecond
	// forceTimeout is how long handlers get to return once their connections were closed.
	forceTimeout = 5 * time.Second
)

// headLimit is the largest head of a request or response, in bytes. It is more
// than Kestrel accepts (8 KiB line, 32 KiB headers), so that the app decides.
const headLimit = 64 << 10

// Config configures a Proxy. A zero field means its default.
type Config struct {
	// Listen is the address for participants, "host:port"; the host may be empty.
	Listen string
	// App is the app's address: http://host:port, https://host:port or unix:/path.
	App string
	// AppTLS, built by send.ClientTLS, is for an app at https://; by default the system's authorities have to
	// vouch for its certificate. MinVersion below 1.2, ServerName and NextProtos
	// are overridden.
	AppTLS *tls.Config
	// Forwarded decides what becomes of X-Forwarded-For; by default it is preserved.
	Forwarded config.Forwarded
	// TrustedProxies are the addresses whose X-Forwarded-*, Forwarded and X-Real-IP
	// reach the app. Nil means all or, if Forwarded is to replace, none; empty
	// means none.
	TrustedProxies []config.Network
	// ProxyProtocol makes connections from TrustedProxies begin with a header of the
	// PROXY protocol, whose address takes the place of theirs.
	ProxyProtocol bool
	// ErrorPage is the HTML for participants whose request gets 502, 503 or 504 here;
	// {{status}} and {{request_id}} in it are replaced. Nil means a page in the
	// participant's language.
	ErrorPage []byte
	// Upgrades are the protocols that participants may switch to; by default
	// WebSocket. Empty, but not nil, means none.
	Upgrades []config.Protocol
	// Watcher receives copies of exchanges; nil means that nothing is copied.
	Watcher Watcher
	// WatchedRequestHeader and WatchedResponseHeader are the names of the header fields
	// that the Watcher gets.
	WatchedRequestHeader, WatchedResponseHeader []string
	// InspectLimit is the largest body, in bytes, that is copied for the Watcher,
	// before and after decoding; default 1 MiB.
	InspectLimit int
	// WatchedBodies bounds the memory, in bytes, for the copies of all bodies and
	// for decoding them; default 64 MiB. Past it, the largest are relayed without a
	// copy. It should be several times InspectLimit.
	WatchedBodies int
	// DialWindow is how long connecting to the app is retried before the
	// participant gets a 503; default 2 s.
	DialWindow time.Duration
	// ResponseTimeout is how long the app may take, once it has the whole request,
	// to send the head of its response, before the participant gets a 504. By
	// default there is no limit. The configuration key is response_timeout.
	ResponseTimeout time.Duration
	// HeaderTimeout is how long the head of a request may take to arrive; default 30 s.
	HeaderTimeout time.Duration
	// IdleTimeout is how long a participant's connection may be silent between
	// requests; default 2 min. A load balancer in front should close its
	// connections earlier.
	IdleTimeout time.Duration
	// Concurrency is how many connections of participants are served at once,
	// tunnels included; further ones get a 503. Default 16384.
	Concurrency int
	// RequestID gives the app an X-Request-Id where the request has none.
	RequestID bool
	// ShowPath returns the path of a target, whose bytes are valid only during the call,
	// without what may be an id, for the lines of LogAccess. Nil means no path.
	ShowPath func(target []byte) string
	// Metrics registers the metrics of the proxy; nil means nowhere.
	Metrics prometheus.Registerer
	// Logger gets what an operator should know, and never what participants send;
	// default slog.Default().
	Logger *slog.Logger
}

// withDefaults returns c with its zero fields filled in.
func (c Config) withDefaults() Config {
	setDefault(&c.InspectLimit, defaultInspectLimit)
	setDefault(&c.WatchedBodies, defaultWatchedBodies)
	setDefault(&c.DialWindow, defaultDialWindow)
	setDefault(&c.HeaderTimeout, defaultHeaderTimeout)
	setDefault(&c.IdleTimeout, defaultIdleTimeout)
	setDefault(&c.Concurrency, defaultConcurrency)
	if c.Upgrades == nil {
		c.Upgrades = []config.Protocol{config.WebSocket}
	}
	setDefault(&c.Logger, slog.Default())
	return c
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
