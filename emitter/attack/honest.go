package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/tidwall/gjson"
	"github.com/valyala/fasthttp"
)

// honestPatience is how long an honest participant waits for a response.
const honestPatience = 20 * time.Second

// crowd are honest participants. Use newCrowd to make one.
type crowd struct {
	sizes
	client  *fasthttp.HostClient
	ledgers []*ledger
	// haveOwnIDs is set where participants come with an id, as from a panel.
	haveOwnIDs bool
	// disguise is added to navigations, if it is not nil.
	disguise *disguise
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
func newCrowd(s sizes, address string, ledgers ...*ledger) *crowd {
	return &crowd{sizes: s, client: newClient(address, s.walkers, honestPatience), ledgers: ledgers}
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

// takeSurvey is one participant's way through all pages. They give up at a failure.
func (c *crowd) takeSurvey() (waits []time.Duration) {
	timed := func(method, path, body string) string {
		began := time.Now()
		response, err := c.do(method, path, body)
		waits = append(waits, time.Since(began))
		time.Sleep(c.pause)
		if err != nil {
			c.fail(err)
			return ""
		}
		return response
	}
	id := c.newID(timed)
	if id == "" || timed(http.MethodGet, progressPath(id), "") == "" {
		return waits
	}
	for _, l := range c.ledgers {
		l.begin(id)
	}
	for page := range survey.Pages {
		timed(http.MethodPost, logPath(id, survey.Pages[page].ID, pageLoad), "{}")
		timed(http.MethodPost, logPath(id, itemOf(page), componentResults), `{"text":"`+answerMarker+id+`"}`)
		if timed(http.MethodPost, progressPath(id)+"/next", "") == "" {
			return waits
		}
		for _, l := range c.ledgers {
			l.acknowledge(id, page)
		}
	}
	return waits
}

// newID returns the id that a participant has, or that the app makes up; "" if that failed.
func (c *crowd) newID(request func(method, path, body string) string) string {
	if c.haveOwnIDs {
		return rand.Text()
	}
	return gjson.Get(request(http.MethodGet, progressPath(""), ""), "newParticipantId").String()
}

// do sends a request and returns the body of the response, which is "-" for an empty one.
func (c *crowd) do(method, path, body string) (string, error) {
	c.gate.RLock()
	defer c.gate.RUnlock()
	var headers []string
	if c.disguise != nil && strings.HasSuffix(path, "/next") {
		body, headers = string(c.disguise.body), c.disguise.headers
	}
	status, response, err := send(c.client, method, path, []byte(body), headers...)
	switch {
	case err != nil:
		return "", fmt.Errorf("%s %s: %w", method, routeOf(path), err)
	case status >= http.StatusMultipleChoices:
		return "", fmt.Errorf("%s %s: status %d", method, routeOf(path), status)
	case len(response) == 0:
		return "-", nil
	}
	return string(response), nil
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

// send sends a request. It returns the status and the body of the response.
func send(client *fasthttp.HostClient, method, path string, body []byte, headers ...string) (int, []byte, error) {
	request, response := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(request)
	defer fasthttp.ReleaseResponse(response)
	request.SetRequestURI("http://" + client.Addr + path)
	request.Header.SetMethod(method)
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	request.SetBodyRaw(body)
	err := client.Do(request, response)
	return response.StatusCode(), append([]byte(nil), response.Body()...), err
}

// routeOf is the start of a path, without ids.
func routeOf(path string) string {
	words := strings.SplitN(path, "/", 4)
	return strings.Join(words[:min(3, len(words))], "/")
}
