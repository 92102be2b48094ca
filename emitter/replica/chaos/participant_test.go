package chaos

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tidwall/gjson"
)

const (
	// patience bounds a request. Whoever serves it may stand still for some seconds.
	patience = 40 * time.Second
	// slowestThought bounds how long a participant thinks.
	slowestThought = 60 * time.Millisecond
)

// participant takes the survey as a browser does. Each request goes to any replica.
type participant struct {
	*field
	// random is of this participant alone; their concurrent requests draw before they begin.
	random *rand.Rand
	id     string
}

// habit is how a participant goes through a page.
type habit int

const (
	// calm waits for the response to each request.
	calm habit = iota
	// hasty asks for the next page while the answer is on its way.
	hasty
	// changing answers twice.
	changing
	// twoTabs opens the page again in another tab while the answer is on its way, and goes on there.
	twoTabs
	// staleTab asks for the next page in one tab, and then in the other, which still has the page before.
	staleTab
	habits
)

// take takes the survey until its end.
func (p *participant) take(ctx context.Context) error {
	body, err := p.sure(ctx, "api/progress/7/9/")
	if err != nil {
		return err
	}
	if p.id = gjson.GetBytes(body, "newParticipantId").String(); p.id == "" {
		return fmt.Errorf("the app gives no id, but %s", body)
	}
	page, err := p.show(ctx)
	for err == nil && page != "" {
		page, err = p.answerPage(ctx, page)
	}
	return err
}

// answerPage goes through a page, and returns the next.
func (p *participant) answerPage(ctx context.Context, page string) (next string, err error) {
	if err := p.load(ctx, page); err != nil {
		return "", err
	}
	p.think(ctx)
	switch habit(p.random.IntN(int(habits))) {
	case hasty:
		next, err = p.race(ctx, func(second *participant) { second.answer(ctx, page) })
	case changing:
		p.answer(ctx, page)
		p.answer(ctx, page)
		next, err = p.next(ctx)
	case twoTabs:
		var tab sync.WaitGroup
		second := p.fork()
		tab.Go(func() {
			if shown, err := second.show(ctx); err == nil && shown == page {
				_ = second.post(ctx, second.logPath(page, pageLoad), "{}")
			}
		})
		p.answer(ctx, page)
		tab.Wait()
		next, err = p.next(ctx)
	case staleTab:
		p.answer(ctx, page)
		if next, err = p.next(ctx); err == nil && next != "" && next != page {
			next, err = p.next(ctx)
		}
	case calm:
		p.answer(ctx, page)
		next, err = p.next(ctx)
	}
	p.think(ctx)
	return next, err
}

// load says that a page is on the screen. Whoever cannot loads it again: of a page that
// was never loaded, Decsys lists no answer, and neither does sidehook.
func (p *participant) load(ctx context.Context, page string) error {
	for p.post(ctx, p.logPath(page, pageLoad), "{}") != nil {
		if _, err := p.show(ctx); err != nil {
			return err
		}
	}
	return nil
}

// race asks for the next page while something else is done.
func (p *participant) race(ctx context.Context, other func(second *participant)) (next string, err error) {
	var racing sync.WaitGroup
	second := p.fork()
	racing.Go(func() { other(second) })
	response, err := p.do(ctx, http.MethodPost, p.progressPath()+"/next", "")
	racing.Wait()
	return p.after(ctx, response, err)
}

// fork returns the same participant for a concurrent request.
func (p *participant) fork() *participant {
	return &participant{field: p.field, random: rand.New(rand.NewPCG(p.random.Uint64(), p.random.Uint64())), id: p.id}
}

func (p *participant) answer(ctx context.Context, page string) {
	text := fmt.Sprintf("answer %x", p.random.Uint64())
	if p.post(ctx, p.logPath(itemOf(page), componentResults), `{"text":"`+text+`"}`) == nil {
		p.ledger.toldAnswer(p.id, text)
	}
}

// next asks for the next page, and for the current one if that has failed: whether the
// app has gone on, nobody knows.
func (p *participant) next(ctx context.Context) (page string, err error) {
	response, err := p.do(ctx, http.MethodPost, p.progressPath()+"/next", "")
	return p.after(ctx, response, err)
}

func (p *participant) after(ctx context.Context, body []byte, err error) (page string, _ error) {
	if err != nil {
		p.think(ctx)
		return p.show(ctx)
	}
	return gjson.GetBytes(body, "page.id").String(), nil
}

// show loads the page that the participant is on.
func (p *participant) show(ctx context.Context) (page string, err error) {
	body, err := p.sure(ctx, p.progressPath())
	return gjson.GetBytes(body, "page.id").String(), err
}

func (p *participant) progressPath() string { return "api/progress/7/9/" + p.id }

func (p *participant) logPath(source, kind string) string {
	return "api/log/9/" + p.id + "/" + source + "/" + kind
}

// sure sends a GET until it succeeds.
func (p *participant) sure(ctx context.Context, path string) (body []byte, err error) {
	for {
		if body, err = p.do(ctx, http.MethodGet, path, ""); err == nil || ctx.Err() != nil {
			return body, err
		}
		p.think(ctx)
	}
}

func (p *participant) post(ctx context.Context, path, body string) error {
	_, err := p.do(ctx, http.MethodPost, path, body)
	return err
}

// do sends a request to any replica that serves, once.
func (p *participant) do(ctx context.Context, method, path, body string) ([]byte, error) {
	at, err := p.choose(ctx, p.random)
	if err != nil {
		return nil, err
	}
	number := fmt.Sprintf("%x", p.random.Uint64())
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, "http://"+at.address+"/"+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set(requestHeader, number)
	request.Header.Set("Content-Type", "application/json")
	answer, moves, err := receive(at.client, request)
	if err != nil {
		p.app.giveUp(p.id, number)
		p.ledger.failed(failure{participant: p.id, what: fmt.Sprintf("%s %s at %s: %v", method, withoutID(path, p.id), at.replica, err), isExplained: at.wasKilled()})
		return nil, err
	}
	p.ledger.told(p.id, moves)
	return answer, nil
}

// receive returns what a response has, and how many moves had been made.
func receive(client *http.Client, request *http.Request) (body []byte, moves int, err error) {
	response, err := client.Do(request)
	if err != nil {
		return nil, 0, err
	}
	defer response.Body.Close()
	if body, err = io.ReadAll(response.Body); err != nil {
		return nil, 0, err
	}
	if response.StatusCode >= http.StatusMultipleChoices {
		return nil, 0, fmt.Errorf("status %d", response.StatusCode)
	}
	moves, _ = strconv.Atoi(response.Header.Get(movesHeader)) // none without it
	return body, moves, nil
}

func withoutID(path, id string) string {
	if id == "" {
		return path
	}
	return strings.ReplaceAll(path, id, "ID")
}

func (p *participant) think(ctx context.Context) {
	select {
	case <-time.After(time.Duration(p.random.Int64N(int64(slowestThought)))):
	case <-ctx.Done():
	}
}
