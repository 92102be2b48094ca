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

// Secret is what every webhook of the recordings is signed with.
const Secret = "correct horse battery staple"

// Receiver is a target of webhooks that keeps what it gets.
type Receiver struct {
	*httptest.Server
	// Misbehave may answer the n-th attempt, from 1, in its own way; it returns
	// true when it has. Several attempts may be in it at once.
	Misbehave func(n int, w http.ResponseWriter, r *http.Request) bool

	// connected are the senders' connections.
	connected sync.WaitGroup

	mu       sync.Mutex
	attempts int
	bodies   []string
	// sent has the body of every id that came, taken how often it was.
	sent  map[string]string
	taken map[string]int
	// last is the id that came last, by participant.
	last    map[string]string
	wrong   []string
	arrival chan struct{}
}

// NewReceiver starts a Receiver; Close stops it.
func NewReceiver() *Receiver {
	r := &Receiver{sent: map[string]string{}, taken: map[string]int{}, last: map[string]string{}, arrival: make(chan struct{}, 1)}
	r.Server = httptest.NewUnstartedServer(r)
	r.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			r.connected.Add(1)
		case http.StateClosed, http.StateHijacked:
			r.connected.Done()
		}
	}
	r.Start()
	return r
}

// ServeHTTP takes a webhook: one that was taken before is known by its id.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return
	}
	n := r.look(req.Header, string(body))
	if r.Misbehave != nil && r.Misbehave(n, w, req) {
		return
	}
	r.take(req.Header.Get("webhook-id"), string(body))
	w.WriteHeader(http.StatusNoContent)
	select {
	case r.arrival <- struct{}{}:
	default:
	}
}

// look checks an attempt, whatever its answer will be, and numbers it.
func (r *Receiver) look(header http.Header, body string) (n int) {
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
		r.wrong = append(r.wrong, "a webhook came again after a later one of its participant")
	}
	r.sent[id], r.last[participant] = body, id
	return r.attempts
}

func (r *Receiver) take(id, body string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.taken[id]++; r.taken[id] == 1 {
		r.bodies = append(r.bodies, body)
	}
}

// AwaitGone returns when all that a sender has sent is taken. The sender must be gone.
func (r *Receiver) AwaitGone() { r.connected.Wait() }

// Bodies are the webhooks taken so far, each once, in the order in which they came first.
func (r *Receiver) Bodies() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.bodies...)
}

// Taken is how often each webhook was taken, by its id.
func (r *Receiver) Taken() map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.taken)
}

// Attempts is how many requests have come, and wrong what was wrong with them.
func (r *Receiver) Attempts() (n int, wrong []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.attempts, append([]string(nil), r.wrong...)
}

// Wait returns once n different webhooks have been taken, or when done is closed.
func (r *Receiver) Wait(done <-chan struct{}, n int) {
	for len(r.Taken()) < n {
		select {
		case <-r.arrival:
		case <-done:
			return
		}
	}
}
