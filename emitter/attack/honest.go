package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/valyala/fasthttp"
)

// honestPatience is how long an honest participant waits for a response.
const honestPatience = 20 * time.Second

// crowd are honest participants. Use newCrowd to make one.
type crowd struct {
	sizes
	app     app
	client  *fasthttp.HostClient
	ledgers []*ledger
	// haveOwnIDs is set where participants come with an id, as from a panel.
	haveOwnIDs bool
	// disguise is added to the navigations of the demo app.
	disguise disguise
	// gate is held for writing while the process restarts, so that no request is in flight.
	gate sync.RWMutex

	mu      sync.Mutex
	failed  int
	failure string // the first one
}

// disguise is what a navigation does not have by itself.
type disguise struct {
	body    []byte
	headers []string
}

// newCrowd returns a crowd that keeps its connections.
func newCrowd(s sizes, a app, address string, ledgers ...*ledger) *crowd {
	return &crowd{sizes: s, app: a, client: newClient(address, s.walkers, honestPatience), ledgers: ledgers}
}

// newClient returns a client that sends each request once.
func newClient(address string, conns int, patience time.Duration) *fasthttp.HostClient {
	once := func(*fasthttp.Request, int, error) (resetTimeout, retry bool) { return false, false }
	return &fasthttp.HostClient{
		Addr: address, MaxConns: conns, MaxIdleConnDuration: time.Hour, MaxConnWaitTimeout: patience,
		ReadTimeout: patience, WriteTimeout: patience, RetryIfErr: once,
	}
}

// walk lets participants take the survey, one after the other, until ctx ends, and
// waits for the last ones. It returns how long each response took.
func (c *crowd) walk(ctx context.Context) (waits []time.Duration) {
	var mu sync.Mutex
	var walking sync.WaitGroup
	for range c.walkers {
		walking.Go(func() {
			for first := true; first || ctx.Err() == nil; first = false {
				one := c.takeSurvey()
				mu.Lock()
				waits = append(waits, one...)
				mu.Unlock()
			}
		})
	}
	walking.Wait()
	return waits
}

// takeSurvey is one participant's way through the survey. It returns how long each
// response took.
func (c *crowd) takeSurvey() []time.Duration {
	w := &walker{crowd: c}
	c.app.takeSurvey(w)
	return w.waits
}

// walker is an honest participant on the way through the survey.
type walker struct {
	*crowd
	id    string
	waits []time.Duration
}

// request sends a request, then pauses. It returns false if the request failed.
func (w *walker) request(r request) (response, bool) {
	began := time.Now()
	response, err := w.do(r)
	w.waits = append(w.waits, time.Since(began))
	time.Sleep(w.pause)
	if err != nil {
		w.fail(err)
	}
	return response, err == nil
}

// begin makes the ledgers expect the participant.
func (w *walker) begin(id string) {
	w.id = id
	for _, l := range w.ledgers {
		l.begin(id)
	}
}

// left tells the ledgers that the app has let the participant leave a page, from 0.
func (w *walker) left(page int) {
	for _, l := range w.ledgers {
		l.acknowledge(w.id, page)
	}
}

// do sends a request to which the app must agree.
func (c *crowd) do(r request) (response, error) {
	c.gate.RLock()
	defer c.gate.RUnlock()
	response, err := send(c.client, r)
	switch {
	case err != nil:
		return response, fmt.Errorf("%s %s: %w", r.method, routeOf(r.path), err)
	case response.status >= http.StatusMultipleChoices:
		return response, fmt.Errorf("%s %s: status %d", r.method, routeOf(r.path), response.status)
	}
	return response, nil
}

func (c *crowd) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failed++
	if c.failure == "" {
		c.failure = err.Error()
	}
}

// failures returns how many honest requests failed, and why the first one did.
func (c *crowd) failures() (n int, first string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failed, c.failure
}

// routeOf is the start of a path, without ids.
func routeOf(path string) string {
	words := strings.SplitN(path, "/", 4)
	return strings.Join(words[:min(3, len(words))], "/")
}
