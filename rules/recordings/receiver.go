package recordings

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"

	"github.com/tidwall/gjson"
)

// Secret signs every webhook of the recordings.
const Secret = "correct horse battery staple"

// Receiver is a receiver of webhooks that checks and keeps them.
type Receiver struct {
	*httptest.Server
	// Misbehave may respond to the n-th attempt, from 1, in its own way, and
	// returns true if it does. It is called concurrently.
	Misbehave func(n int, w http.ResponseWriter, r *http.Request) bool

	mu sync.Mutex
	// connected counts the open connections; gone is signaled when one closes.
	// A [sync.WaitGroup] must not leave zero while something waits for it.
	connected int
	gone      sync.Cond

	attempts int
	bodies   []string
	// sent has the body of each id, and taken how often it was accepted.
	sent  map[string]string
	taken map[string]int
	// last is the id of the last webhook of each participant.
	last    map[string]string
	wrong   []string
	arrival chan struct{}
}

// NewReceiver starts a Receiver; Close stops it.
func NewReceiver() *Receiver {
	r := &Receiver{sent: map[string]string{}, taken: map[string]int{}, last: map[string]string{}, arrival: make(chan struct{}, 1)}
	r.gone.L = &r.mu
	r.Server = httptest.NewUnstartedServer(r)
	r.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		r.mu.Lock()
		defer r.mu.Unlock()
		switch state {
		case http.StateNew:
			r.connected++
		case http.StateClosed, http.StateHijacked:
			r.connected--
			r.gone.Broadcast()
		}
	}
	r.Start()
	return r
}

// ServeHTTP accepts a webhook. The same id again is a repetition.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return
	}
	n := r.check(req.Header, string(body))
	if r.Misbehave != nil && r.Misbehave(n, w, req) {
		return
	}
	r.accept(req.Header.Get("webhook-id"), string(body))
	w.WriteHeader(http.StatusNoContent)
	select {
	case r.arrival <- struct{}{}:
	default:
	}
}

// check checks an attempt, and returns its number, from 1.
func (r *Receiver) check(header http.Header, body string) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.attempts++
	mac := hmac.New(sha256.New, []byte(Secret))
	mac.Write([]byte(body))
	if header.Get("X-Decsys-Signature") != base64.StdEncoding.EncodeToString(mac.Sum(nil)) {
		r.wrong = append(r.wrong, "a webhook's signature does not verify")
	}
	id, participant := header.Get("webhook-id"), gjson.Get(body, "ParticipantId").String()
	earlier, again := r.sent[id]
	switch {
	case id == "":
		r.wrong = append(r.wrong, "a webhook has no id")
	case again && earlier != body:
		r.wrong = append(r.wrong, "a repeated webhook has another body")
	case again && r.last[participant] != id:
		r.wrong = append(r.wrong, "a webhook was repeated after a later one of its participant")
	}
	r.sent[id], r.last[participant] = body, id
	return r.attempts
}

func (r *Receiver) accept(id, body string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.taken[id]++; r.taken[id] == 1 {
		r.bodies = append(r.bodies, body)
	}
}

// AwaitGone waits until all connections are closed, also those that were not
// accepted yet. The sender must be gone.
func (r *Receiver) AwaitGone() error {
	conn, err := net.Dial("tcp", r.Listener.Addr().String()) // accepted after all before it
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "no request\r\n"); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, conn); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.connected > 0 {
		r.gone.Wait()
	}
	return nil
}

// Bodies are the webhooks accepted so far, without repetitions, in their order.
func (r *Receiver) Bodies() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.bodies...)
}

// Accepted is how often each webhook was accepted, by its id.
func (r *Receiver) Accepted() map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.taken)
}

// Attempts is the number of requests, and what was wrong with them.
func (r *Receiver) Attempts() (n int, wrong []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.attempts, append([]string(nil), r.wrong...)
}

// Wait waits until n different webhooks have been accepted, or done is closed.
func (r *Receiver) Wait(done <-chan struct{}, n int) {
	for len(r.Accepted()) < n {
		select {
		case <-r.arrival:
		case <-done:
			return
		}
	}
}
