package admin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"

	"github.com/sidehook/sidehook/emitter/deliver"
	"github.com/sidehook/sidehook/emitter/live"
	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/emitter/record"
	"github.com/sidehook/sidehook/rules/config"
	"github.com/sidehook/sidehook/rules/reload"
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
	defaultConnections = 128
	// localShare is which part of them, one in localShare, is for peers on this machine.
	localShare = 2
)

// Config is what an Admin needs. All fields are required but Connections, File,
// Warnings, Console and Replicas.
type Config struct {
	// Listen is the operators' address, host:port.
	Listen string
	// Connections is how many there can be at once, at least 4; default 128. A
	// half is kept for peers on this machine.
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
	// Activity is what happens right now.
	Activity *live.Activity
	// Version is the release, and File the path of the configuration, empty if there is none.
	Version, File string
	// Reloaded returns the outcome of the last reload, zero before the first.
	Reloaded func() reload.Outcome
	// Warnings returns what is doubtful in a configuration; nil means nothing.
	Warnings func(*config.Config) []string
	// Try reads a HAR file and writes what a configuration makes of it. It may stop
	// early when ctx ends.
	Try func(ctx context.Context, c *config.Config, har io.Reader, report io.Writer) error
	// Console returns what people see at / and below /console/, given the API without
	// its access control and who may use it; nil means that there is none.
	Console func(api http.Handler, access Access) http.Handler
	// Forget erases a participant from one survey, or from all where it is empty.
	Forget func(ctx context.Context, participant, survey string) (record.Forgotten, error)
	// Replicas are those that this sidehook is one of; nil for a single one.
	Replicas *Replicas
	Logger   *slog.Logger
}

// Admin is the operator's listener. Apply configures it, Listen opens it, and
// Serve serves until Shutdown.
type Admin struct {
	config Config
	// current is the configuration in force.
	current atomic.Pointer[config.Config]
	// hosts has the scheme and host of each configured target's URL.
	hosts    atomic.Pointer[map[string]string]
	server   *http.Server
	listener net.Listener
	started  time.Time
	draining atomic.Bool
	// stopping ends when the listener shuts down.
	stopping context.Context
	// trying has a place for each HAR file that may be tried at once, and testing one
	// for each test event that may be in flight.
	trying, testing chan struct{}
	metrics         metrics
	// handed serves what other replicas hand over; nil for a single sidehook.
	handed *handed

	warnToken rate.Sometimes
}

// New returns an Admin without a token.
func New(c Config) *Admin {
	a := &Admin{
		config: c, metrics: newMetrics(c.Metrics), started: time.Now(), warnToken: rate.Sometimes{Interval: time.Minute},
		trying: make(chan struct{}, 1), testing: make(chan struct{}, maxTests),
	}
	stopping, stop := context.WithCancel(context.Background())
	a.stopping = stopping
	a.Apply(&config.Config{})
	if c.Replicas != nil {
		a.handed = &handed{link: c.Replicas.Link, leads: c.Store.Leads, handler: a.leaderHandler(), tasks: map[string]*task{}}
		registerReplicas(c.Metrics, c.Replicas.Present)
	}
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
	a.server.RegisterOnShutdown(stop)
	return a
}

// Apply takes the token and the targets' hosts from a configuration, also while
// the Admin serves.
func (a *Admin) Apply(c *config.Config) {
	a.current.Store(c)
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

// Serve serves operators, and other replicas, until Shutdown; call Listen first.
func (a *Admin) Serve() error {
	var answering sync.WaitGroup
	defer answering.Wait()
	ctx, cancel := context.WithCancel(a.stopping)
	defer cancel()
	if a.handed != nil {
		answering.Go(func() { a.handed.serve(ctx) })
	}
	err := a.server.Serve(a.listener)
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("cannot serve operators: %w", err)
}

// Drain makes /ready fail, since the process is about to end.
func (a *Admin) Drain() { a.draining.Store(true) }

// Shutdown ends Serve once the requests in flight have ended, or with ctx.
func (a *Admin) Shutdown(ctx context.Context) error {
	err := a.server.Shutdown(ctx)
	if a.handed != nil {
		a.handed.wait(ctx)
	}
	return err
}

func (a *Admin) routes() http.Handler {
	mux, api := http.NewServeMux(), http.NewServeMux()
	mux.HandleFunc("GET /live", a.live)
	mux.HandleFunc("GET /ready", a.ready)
	mux.Handle("GET /metrics", exposition(a.config.Metrics))
	mux.HandleFunc("GET /debug/pprof/", a.profiles)
	for pattern, handler := range a.endpoints() {
		mux.HandleFunc(pattern, a.guarded(handler))
		api.HandleFunc(pattern, handler)
	}
	if a.config.Console != nil {
		console := a.config.Console(api, Access{IsLocal: isLocalPage, IsToken: a.isToken, HasToken: a.hasToken, NoteWrongToken: a.noteWrongToken})
		mux.Handle("/{$}", console)
		mux.Handle("/console", console)
		mux.Handle("/console/", console)
	}
	return mux
}

// endpoints returns what needs loopback or the token; emitter/schema/openapi.json
// describes it.
func (a *Admin) endpoints() map[string]http.HandlerFunc {
	all := map[string]http.HandlerFunc{
		"GET /status":                      a.status,
		"GET /feed":                        a.feed,
		"GET /configuration":               a.configuration,
		"POST /try":                        a.try,
		"GET /targets":                     a.targets,
		"POST /targets/{name}/test":        a.test,
		"GET /deliveries":                  a.deliveries,
		"GET /deliveries/{id}":             a.delivery,
		"GET /deliveries/causes":           a.causes,
		"GET /surveys":                     a.surveys,
		"GET /surveys.csv":                 a.surveys,
		"GET /surveys/{survey}/{instance}": a.survey,
		"GET /backup":                      a.backup,
		"GET /damaged":                     a.damaged,
		"GET /replicas":                    a.replicas,
		"POST /replicas/seed":              a.seed,
	}
	for pattern, change := range a.changes() {
		all[pattern] = a.byLeader(change.limit, change.serve)
	}
	return all
}

// change is an endpoint that writes to the store, which the leader alone can.
type change struct {
	serve http.HandlerFunc
	// limit is how long it may take.
	limit time.Duration
}

func (a *Admin) changes() map[string]change {
	return map[string]change{
		"POST /targets/{name}/enable":  {a.enable, requestTimeout},
		"POST /targets/{name}/disable": {a.disable, requestTimeout},
		"POST /deliveries/redeliver":   {a.redeliver, requestTimeout},
		"POST /deliveries/discard":     {a.discard, requestTimeout},
		"POST /deliveries/retry":       {a.retry, requestTimeout},
		"POST /forget":                 {a.forget, ForgetTimeout + requestTimeout},
	}
}

// leaderHandler serves what only the replica that leads can, for requests that others
// have authorised.
func (a *Admin) leaderHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /targets", a.targetsHere)
	for pattern, change := range a.changes() {
		mux.HandleFunc(pattern, change.serve)
	}
	return mux
}
