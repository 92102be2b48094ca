package proxy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

// errDraining is why a proxy that shuts down is not ready.
var errDraining = errors.New("the proxy is shutting down")

// Proxy passes requests to the app, and its responses back.
type Proxy struct {
	config    Config
	warnings  *warnings
	pool      *pool
	server    *fasthttp.Server
	listener  *listener
	clients   *clients
	exchanges sync.Pool
	budget    *budget
	counters  counters
	draining  atomic.Bool
	// logsAccess is whether each request is logged.
	logsAccess atomic.Bool
	linger     time.Duration // defaultLinger, except in tests
	abandoned  time.Duration // abandonedTimeout, except in tests
	forwarded  forwarding
	heads      headPolicy
	accepting  sync.Mutex     // held while connections are accepted
	serving    sync.WaitGroup // for the goroutines that serve them
	reclaimer  reclaimer
}

// New returns a Proxy that does not listen yet. Its error means that Config.App
// is not an address.
func New(config Config) (*Proxy, error) {
	config = config.withDefaults()
	app, err := parseApp(config.App, config.AppTLS)
	if err != nil {
		return nil, err
	}
	p := &Proxy{
		config:    config,
		warnings:  newWarnings(config.Logger),
		pool:      newPool(app, config.DialWindow, config.Concurrency),
		clients:   &clients{open: map[*clientConn]struct{}{}},
		linger:    defaultLinger,
		abandoned: abandonedTimeout,
		budget:    newBudget(config.WatchedBodies, config.InspectLimit),

		forwarded: forwarding{config.Forwarded, config.TrustedProxies},
		heads:     headPolicy{config.Upgrades, app.host()},
	}
	p.exchanges.New = func() any { return newExchange(p) }
	p.reclaimer.requests, p.reclaimer.open = p.counters.requests.Load, p.clients.len
	p.server = newServer(p)
	p.register(config.Metrics)
	return p, nil
}

// Listen opens the participants' listener.
func (p *Proxy) Listen() error {
	l, err := net.Listen("tcp", p.config.Listen)
	if err != nil {
		return fmt.Errorf("cannot listen for participants: %w", err)
	}
	p.listener = &listener{
		Listener: l,
		clients:  p.clients,
		config:   &p.config,
		counters: &p.counters,
		warnings: p.warnings,
		refusing: make(chan struct{}, min(max(p.config.Concurrency/8, 1), maxRefusing)),
	}
	if address := addressOf(l.Addr()); p.forwarded.isSpoofable() && !address.IsLoopback() {
		p.config.Logger.Warn(spoofable, "forwarded", p.forwarded.way)
	}
	return nil
}

// Addr returns the address that participants connect to; call Listen first.
func (p *Proxy) Addr() net.Addr { return p.listener.Addr() }

// Serve serves participants until Shutdown; call Listen first.
func (p *Proxy) Serve() error { return p.acceptAll() }

// Ready reports whether requests can be served: nil, or the reason why not.
func (p *Proxy) Ready(ctx context.Context) error {
	if p.draining.Load() {
		return errDraining
	}
	conn, err := p.pool.app.dial(ctx)
	if err != nil {
		return fmt.Errorf("cannot connect to the app: %w", err)
	}
	conn.Close()
	return nil
}
