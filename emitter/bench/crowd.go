package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tidwall/gjson"
	"github.com/valyala/fasthttp"
)

const (
	// crowdSize is the number of concurrent participants of a walk.
	crowdSize = 60
	// maxConns is how many connections a crowd opens to the sidecar.
	maxConns = 512
	// requestLimit bounds a request.
	requestLimit = time.Minute
)

// answerText makes a webhook with one such answer about 1 KiB long.
var answerText = strings.Repeat("The bus was late again. ", 24)

// crowd takes the survey through a sidecar and enters what was acknowledged in
// a ledger.
type crowd struct {
	ledger *ledger
	client *fasthttp.HostClient
	// hasOwnIDs is set where participants come with an id, as from a panel; otherwise the app makes it up.
	hasOwnIDs bool
	// answer is the text that everybody answers on the first page.
	answer string
	// members take part in walk. Whoever completes the survey is replaced.
	members [crowdSize]participant
}

// participant takes the survey, one request at a time.
type participant struct {
	mu   sync.Mutex
	id   string // empty before the participant begins
	page int    // from 0
	// last is the page at which they give up, or pages.
	last int
}

// newCrowd returns a crowd whose participants connect to the address.
func newCrowd(address string, l *ledger) *crowd {
	c := &crowd{ledger: l, answer: answerText}
	c.connectTo(address)
	return c
}

// connectTo makes later requests go to the address, or to each of several, with commas
// between them, in turn.
func (c *crowd) connectTo(address string) {
	never := func(*fasthttp.Request, int, error) (resetTimeout, retry bool) { return false, false }
	c.client = &fasthttp.HostClient{Addr: address, MaxConns: maxConns, ReadTimeout: requestLimit, RetryIfErr: never}
}

// gather makes all members leave a page; new ones begin first. They will give up
// at different pages, so that their successors do not begin all at once.
func (c *crowd) gather() error {
	return inParallel(crowdSize, crowdSize, func(i int) error {
		err := c.step(&c.members[i])
		c.members[i].last = 2 + i%(pages-1)
		return err
	})
}

// walk makes members navigate in turn, rate times a second for a time, whether
// or not earlier ones have been acknowledged, and waits for the last.
func (c *crowd) walk(ctx context.Context, rate int, duration time.Duration) error {
	var failed firstError
	var walking sync.WaitGroup
	began := time.Now()
	for n := 0; ctx.Err() == nil; n++ {
		at := began.Add(time.Duration(n) * time.Second / time.Duration(rate))
		if at.Sub(began) >= duration {
			break
		}
		time.Sleep(time.Until(at))
		walking.Go(func() { failed.note(c.step(&c.members[n%crowdSize])) })
	}
	walking.Wait()
	return errors.Join(failed.err, ctx.Err())
}

// rush makes participants navigate for a time, callers at a time.
func (c *crowd) rush(ctx context.Context, callers int, duration time.Duration) error {
	until := time.Now().Add(duration)
	return inParallel(callers, callers, func(int) error {
		var p participant
		for time.Now().Before(until) && ctx.Err() == nil {
			if err := c.step(&p); err != nil {
				return err
			}
		}
		return ctx.Err()
	})
}

// step takes a participant to the next page. A new participant begins first; one
// who is done or met an error is replaced at the next step.
func (c *crowd) step(p *participant) (err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	defer func() {
		if err != nil || p.page >= p.last {
			p.id = ""
		}
	}()
	if p.id == "" {
		if err := c.begin(p); err != nil {
			return err
		}
	}
	return c.navigate(p)
}

// begin shows a new participant their first page, which they load and answer.
func (c *crowd) begin(p *participant) error {
	if err := c.open(p); err != nil {
		return err
	}
	return errors.Join(
		c.post(logPath(p.id, pageID(0), pageLoad), []byte("{}")),
		c.post(logPath(p.id, itemID(0), componentResults), fmt.Appendf(nil, `{"value":%q}`, c.answer)),
	)
}

// open shows a new participant their first page.
func (c *crowd) open(p *participant) error {
	id := newID()
	if !c.hasOwnIDs {
		err := c.do(http.MethodGet, progressPath(""), nil, func(body []byte) { id = strings.Clone(gjson.GetBytes(body, "newParticipantId").String()) })
		if err != nil {
			return err
		}
	}
	p.id, p.page, p.last = id, 0, pages
	return c.do(http.MethodGet, progressPath(p.id), nil, nil)
}

func (c *crowd) navigate(p *participant) error {
	sent := time.Now()
	if err := c.post(progressPath(p.id)+"/next", nil); err != nil {
		return err
	}
	c.ledger.acknowledge(p.id, p.page, sent)
	p.page++
	return nil
}

func (c *crowd) post(path string, body []byte) error {
	return c.do(http.MethodPost, path, body, nil)
}

// do makes a request and hands the body of the response to read, which must not keep it.
func (c *crowd) do(method, path string, body []byte, read func([]byte)) error {
	request, response := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(request)
	defer fasthttp.ReleaseResponse(response)
	request.SetRequestURI("http://sidecar" + path)
	request.Header.SetMethod(method)
	request.SetBody(body)
	if err := c.client.Do(request, response); err != nil {
		return fmt.Errorf("%s through the sidecar: %w", method, err)
	}
	if response.StatusCode() >= http.StatusMultipleChoices {
		return fmt.Errorf("%s through the sidecar: status %d: %s", method, response.StatusCode(), bytes.TrimSpace(response.Body()))
	}
	if read != nil {
		read(response.Body())
	}
	return nil
}

func progressPath(participant string) string { return "/api/progress/7/7/" + participant }

func logPath(participant, source, kind string) string {
	return "/api/log/7/" + participant + "/" + source + "/" + kind
}

// inParallel calls f with 0 to n-1, callers at a time, and returns the first
// error, after which it makes no new call.
func inParallel(callers, n int, f func(i int) error) error {
	var next atomic.Int64
	var failed firstError
	var calling sync.WaitGroup
	for range min(callers, n) {
		calling.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				if err := f(i); err != nil {
					failed.note(err)
					next.Store(int64(n))
				}
			}
		})
	}
	calling.Wait()
	return failed.err
}

// firstError keeps the first error that is noted.
type firstError struct {
	once sync.Once
	err  error
}

func (f *firstError) note(err error) {
	if err != nil {
		f.once.Do(func() { f.err = err })
	}
}
