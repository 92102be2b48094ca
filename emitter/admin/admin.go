package admin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sidehook/sidehook/emitter/deliver"
	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/emitter/record"
	"github.com/sidehook/sidehook/rules/config"
)

const (
	// requestTimeout bounds a whole request of an operator.
	requestTimeout = 10 * time.Second
	// headTimeout bounds the wait for the head of a request.
	headTimeout = 5 * time.Second
	// idleTimeout is how long an operator's connection is kept between requests.
	idleTimeout = 15 * time.Second
	// maxHead is the largest head of a request, in bytes.
	maxHead = 16 << 10
	// defaultConnections is how many connections there can be at once.
	defaultConnections = 64
	// localShare is which part of them, one in localShare, is for peers on this machine.
	localShare = 4
)

// Config is what an Admin needs. All fields are required but Connections.
type Config struct {
	// Listen is the operators' address, host:port.
	Listen string
	// Connections is how many there can be at once, at least 4; default 64. A
	// quarter is kept for peers on this machine.
	Connections int
	// Ready returns why participants cannot be served, nil when they can.
	Ready func(context.Context) error
	// Metrics is the registry that is exposed; it gets the operators' own metrics, too.
	Metrics *prometheus.Registry
	Store   *outbox.Store
	// Targets returns the status of each configured target.
	Targets func() []deliver.TargetStatus
	// MayMove returns why a delivery of one target must not be sent to another, nil when it may.
	MayMove func(from, to string) error
	// Forget erases a participant from one survey, or from all where it is empty.
	Forget func(ctx context.Context, participant, survey string) (record.Forgotten, error)
	Logger *slog.Logger
}

// Admin is the operator's listener. Apply configures it, Listen opens it, and
// Serve serves until Shutdown.
type Admin struct {
	config Config
	token  atomic.Pointer[config.Secret]
	// hosts has the scheme and host of each configured target's URL.
	hosts    atomic.Pointer[map[string]string]
	server   *http.Server
	listener net.Listener
	draining atomic.Bool
	metrics  metrics
}

// New returns an Admin without a token.
func New(c Config) *Admin {
	a := &Admin{config: c, metrics: newMetrics(c.Metrics)}
	a.Apply(&config.Config{})
	a.server = &http.Server{
		Handler:           serving(a.routes()),
		ConnContext:       withConn,
		ReadHeaderTimeout: headTimeout,
		ReadTimeout:       requestTimeout,
		WriteTimeout:      requestTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHead,
		ErrorLog:          slog.NewLogLogger(c.Logger.Handler(), slog.LevelDebug),
	}
	return a
}

// Apply takes the token and the targets' hosts from a configuration, also while
// the Admin serves.
func (a *Admin) Apply(c *config.Config) {
	a.token.Store(&c.AdminToken)
	hosts := map[string]string{}
	for name, target := range c.Targets {
		hosts[name] = target.URL.String()
	}
	a.hosts.Store(&hosts)
}

// Listen opens the listener.
func (a *Admin) Listen() error {
	listener, err := net.Listen("tcp", a.config.Listen)
	if err != nil {
		return fmt.Errorf("cannot listen for operators: %w", err)
	}
	places := cmp.Or(a.config.Connections, defaultConnections)
	local := max(places/localShare, 1)
	a.listener = newConnections(listener, local, places-local)
	return nil
}

// Addr returns the address of the listener; call Listen first.
func (a *Admin) Addr() net.Addr { return a.listener.Addr() }

// Serve serves operators until Shutdown; call Listen first.
func (a *Admin) Serve() error {
	err := a.server.Serve(a.listener)
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("cannot serve operators: %w", err)
}

// Drain makes /ready fail, since the process is about to end.
func (a *Admin) Drain() { a.draining.Store(true) }

// Shutdown ends Serve once the requests in flight have ended, or with ctx.
func (a *Admin) Shutdown(ctx context.Context) error { return a.server.Shutdown(ctx) }

func (a *Admin) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", a.index)
	mux.HandleFunc("GET /live", a.live)
	mux.HandleFunc("GET /ready", a.ready)
	mux.Handle("GET /metrics", exposition(a.config.Metrics))
	for pattern, handler := range map[string]http.HandlerFunc{
		"GET /targets":                 a.targets,
		"POST /targets/{name}/enable":  a.enable,
		"POST /targets/{name}/disable": a.disable,
		"GET /deliveries":              a.deliveries,
		"GET /deliveries/{id}":         a.delivery,
		"POST /deliveries/redeliver":   a.redeliver,
		"POST /deliveries/discard":     a.discard,
		"POST /deliveries/retry":       a.retry,
		"POST /forget":                 a.forget,
		"GET /backup":                  a.backup,
		"GET /damaged":                 a.damaged,
	} {
		mux.HandleFunc(pattern, a.guarded(handler))
	}
	return mux
}
