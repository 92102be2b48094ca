package main

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

const (
	// attackerPatience is how long an attacker waits for a response.
	attackerPatience = 5 * time.Second
	// navigator is the id of an attacker whose events the app keeps.
	navigator = "mallory"
)

// flood sends n requests over some connections, each of which waits for its
// response, whatever that is. It ends early when the attack has to end.
func (b *battle) flood(conns, n int, of func(i int) request) {
	client := newClient(b.side.participants, conns, attackerPatience)
	defer client.CloseIdleConnections()
	var next atomic.Int64
	var flooding sync.WaitGroup
	for range conns {
		flooding.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && b.ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				b.send(client, of(i))
			}
		})
	}
	flooding.Wait()
}

// send sends a request and ignores what becomes of it.
func (b *battle) send(client *fasthttp.HostClient, r request) {
	b.sent.Add(int64(len(r.path) + len(r.body) + len(fmt.Sprint(r.headers))))
	_, _ = send(client, r)
}

// answer is an answer of size bytes to an item.
func answer(participant, item string, size int) request {
	return request{method: http.MethodPost, path: logPath(participant, item, componentResults), body: filler(size)}
}

// load reports the first page as loaded, which also makes the app return to it.
func load(participant string) request { return loadPage(participant, 0) }

func loadPage(participant string, page int) request {
	return request{method: http.MethodPost, path: logPath(participant, survey.Pages[page].ID, pageLoad), body: []byte("{}")}
}

// show requests the page that a participant is on, which makes the app begin a new one.
func show(participant string) request {
	return request{method: http.MethodGet, path: progressPath(participant)}
}

func next(participant string) request {
	return request{method: http.MethodPost, path: progressPath(participant) + "/next"}
}

// leavePage is how one attacker begins, answers the first page and leaves it.
func (b *battle) leavePage(client *fasthttp.HostClient, participant string, answer []byte, headers ...string) {
	answered := request{method: http.MethodPost, path: logPath(participant, itemOf(0), componentResults), body: answer}
	for _, r := range []request{show(participant), load(participant), answered, next(participant)} {
		r.headers = headers
		b.send(client, r)
	}
}

// dial opens a connection to an address.
func (b *battle) dial(address string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: attackerPatience}
	conn, err := dialer.DialContext(b.ctx, "tcp", address)
	if err == nil {
		_ = conn.SetDeadline(time.Now().Add(b.longest))
	}
	return conn, err
}

// inParallel calls f with 0 to n-1, callers at a time.
func inParallel(callers, n int, f func(i int)) {
	var next atomic.Int64
	var calling sync.WaitGroup
	for range min(callers, n) {
		calling.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	calling.Wait()
}

var fillers sync.Map // of []byte, by size

// filler is a JSON object of size bytes, at least 10. It must not be changed.
func filler(size int) []byte {
	if made, isMade := fillers.Load(size); isMade {
		return made.([]byte)
	}
	made, _ := fillers.LoadOrStore(size, fmt.Appendf(nil, `{"text":"%s"}`, bytes.Repeat([]byte("x"), max(0, size-11))))
	return made.([]byte)
}
