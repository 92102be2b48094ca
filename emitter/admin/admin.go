package admin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sidehook/sidehook/emitter/outbox"

	"github.com/sidehook/sidehook/emitter/deliver"
	"github.com/sidehook/sidehook/emitter/record"
	"github.com/sidehook/sidehook/rules/config"
)

const (
	// requestLimit bounds a whole request of an operator.
	requestLimit = 10 * time.Second
	// idleLimit is how long an operator's connection is kept between requests.
	idleLimit = time.Minute
	// headLimit is the largest head of a request, in bytes.
	headLimit = 16 << 10
)

// Config is what an Admin needs; all but Token is required.
type Config struct {
	// Listen is the operators' address, host:port.
	Listen string
	// Token opens what is not for everybody to others than loopback.
	Token config.Secret
	// Ready tells whether participants can be served, and why not.
	Ready func(context.Context) error
	// Metrics are exposed, and the operators' own are registered there.
	Metrics *prometheus.Registry
	Store   *outbox.Store
	// Targets tells how each target is doing.
	Targets func() []deliver.TargetStatus
	// MayMove tells whether a delivery of one target may be sent to another, and why not.
	MayMove func(from, to string) error
	// Forget erases a participant, of one survey or, where it is empty, of all.
	Forget func(ctx context.Context, participant, survey string) (record.Forgotten, error)
	Logger *slog.Logger
}

// Admin is the operator's listener. Listen opens it, Serve serves until Shutdown.
type Admin struct {
	config   Config
	token    atomic.Pointer[config.Secret]
	server   *http.Server
	listener net.Listener
	draining atomic.Bool
	metrics  metrics
}

// New makes an Admin that does nothing yet.
func New(c Config) *Admin {
	a := &Admin{config: c, metrics: newMetrics(c.Metrics)}
	a.SetToken(c.Token)
	a.server = &http.Server{
		Handler:        a.routes(),
		ReadTimeout:    requestLimit,
		WriteTimeout:   requestLimit,
		IdleTimeout:    idleLimit,
		MaxHeaderBytes: headLimit,
		ErrorLog:       slog.NewLogLogger(c.Logger.Handler(), slog.LevelDebug),
	}
	return a
}

// SetToken makes this the token from now on.
func (a *Admin) SetToken(token config.Secret) { a.token.Store(&token) }

// Listen opens the listener.
func (a *Admin) Listen() error {
	listener, err := net.Listen("tcp", a.config.Listen)
	if err != nil {
		return fmt.Errorf("cannot listen for operators: %w", err)
	}
	a.listener = limit(listener, maxConnections)
	return nil
}

// Addr is where operators connect; call Listen first.
func (a *Admin) Addr() net.Addr { return a.listener.Addr() }

// Serve serves operators until Shutdown; call Listen first.
func (a *Admin) Serve() error {
	err := a.server.Serve(a.listener)
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("cannot serve operators: %w", err)
}

// Drain makes /ready say that the process is about to end.
func (a *Admin) Drain() { a.draining.Store(true) }

// Shutdown ends Serve once the requests under way have ended, or with ctx.
func (a *Admin) Shutdown(ctx context.Context) error { return a.server.Shutdown(ctx) }

func (a *Admin) routes() http.Handler {
	mux := http.NewServeMux()
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
		"POST /forget":                 a.forget,
		"GET /backup":                  a.backup,
	} {
		mux.HandleFunc(pattern, a.guarded(handler))
	}
	return mux
}
