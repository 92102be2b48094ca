package main

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/tidwall/gjson"
	"github.com/valyala/fasthttp"
)

// crowdSize is how many participants take the survey at the same time.
const crowdSize = 200

// crowd takes the survey through a sidecar, and notes how long webhooks take.
type crowd struct {
	client  *fasthttp.HostClient
	members [crowdSize]*member
	// joined numbers the participants.
	joined int

	mu    sync.Mutex
	err   error
	moves map[string]*moves
}

// member is one participant's place in the crowd, taken by another when they are done.
type member struct {
	mu   sync.Mutex
	id   string
	page int
}

// moves are when a participant's answers and webhooks came, each in their order.
type moves struct{ answered, received []time.Time }

func newCrowd(address string) *crowd {
	c := &crowd{client: &fasthttp.HostClient{Addr: address, MaxConns: crowdSize}, moves: map[string]*moves{}}
	for i := range c.members {
		c.members[i] = &member{}
	}
	return c
}

// walk makes rate navigations a second for a time, whether they are answered or not.
func (c *crowd) walk(rate int, duration time.Duration) {
	began := time.Now()
	var walking sync.WaitGroup
	for n := 0; ; n++ {
		at := began.Add(time.Duration(n) * time.Second / time.Duration(rate))
		if at.Sub(began) >= duration {
			break
		}
		time.Sleep(time.Until(at))
		walking.Go(func() { c.fail(c.step(c.members[n%crowdSize])) })
	}
	walking.Wait()
}

// step takes a participant to the next page.
func (c *crowd) step(m *member) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.id == "" {
		c.mu.Lock()
		c.joined++
		m.id, m.page = participantID(c.joined), 0
		c.mu.Unlock()
		if err := c.begin(m.id); err != nil {
			return err
		}
	}
	id := m.id
	if err := c.ask(http.MethodPost, nextPath(id), nil, func() { c.moved(id, true, time.Now()) }); err != nil {
		return err
	}
	if m.page++; m.page == pages {
		m.id = ""
	}
	return nil
}

// begin shows a new participant their first page, which they load and answer.
func (c *crowd) begin(id string) error {
	return errors.Join(
		c.ask(http.MethodGet, pathOf(id), nil, nil),
		c.ask(http.MethodPost, loadPath(id, 0), []byte("{}"), nil),
		c.ask(http.MethodPost, answerPath(id, 0), answerBody(), nil),
	)
}

func (c *crowd) ask(method, path string, body []byte, answered func()) error {
	request, response := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(request)
	defer fasthttp.ReleaseResponse(response)
	request.SetRequestURI("http://" + c.client.Addr + path)
	request.Header.SetMethod(method)
	request.SetBody(body)
	if err := c.client.Do(request, response); err != nil {
		return err
	}
	if response.StatusCode() >= http.StatusMultipleChoices {
		return fmt.Errorf("%s: status %d", method, response.StatusCode())
	}
	if answered != nil {
		answered()
	}
	return nil
}

// moved notes that an answer, or a webhook, has come.
func (c *crowd) moved(id string, isAnswer bool, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := c.moves[id]
	if m == nil {
		m = &moves{}
		c.moves[id] = m
	}
	if isAnswer {
		m.answered = append(m.answered, at)
	} else {
		m.received = append(m.received, at)
	}
}

// take notes a webhook.
func (c *crowd) take(body []byte, at time.Time) {
	c.moved(strings.Clone(gjson.GetBytes(body, "ParticipantId").String()), false, at)
}

func (c *crowd) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err = errors.Join(c.err, err)
}

// missing is how many webhooks are still to come.
func (c *crowd) missing() (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range c.moves {
		n += max(0, len(m.answered)-len(m.received))
	}
	return n
}

// latencies are the times from an answer that a participant had to the webhook
// of it. A webhook that came first took none.
func (c *crowd) latencies() (all []time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range c.moves {
		for i := range min(len(m.answered), len(m.received)) {
			all = append(all, max(0, m.received[i].Sub(m.answered[i])))
		}
	}
	return all
}
