package recordings

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
)

// Secret is what every webhook of the recordings is signed with.
const Secret = "correct horse battery staple"

// Receiver is a target of webhooks that keeps what it gets.
type Receiver struct {
	*httptest.Server
	// Misbehave may answer the n-th attempt, from 1, in its own way; it returns
	// true when it has.
	Misbehave func(n int, w http.ResponseWriter) bool

	mu       sync.Mutex
	attempts int
	bodies   []string
	ids      map[string]string
	wrong    []string
	arrival  chan struct{}
}

// NewReceiver starts a Receiver; Close stops it.
func NewReceiver() *Receiver {
	r := &Receiver{ids: map[string]string{}, arrival: make(chan struct{}, 1)}
	r.Server = httptest.NewServer(r)
	return r
}

// ServeHTTP takes a webhook: one that was taken before is known by its id.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.attempts++
	if r.Misbehave != nil && r.Misbehave(r.attempts, w) {
		return
	}
	r.take(req.Header, string(body))
	w.WriteHeader(http.StatusNoContent)
	select {
	case r.arrival <- struct{}{}:
	default:
	}
}

func (r *Receiver) take(header http.Header, body string) {
	mac := hmac.New(sha256.New, []byte(Secret))
	mac.Write([]byte(body))
	if header.Get("X-Decsys-Signature") != base64.StdEncoding.EncodeToString(mac.Sum(nil)) {
		r.wrong = append(r.wrong, "a webhook's signature does not verify")
	}
	id := header.Get("webhook-id")
	earlier, again := r.ids[id]
	switch {
	case id == "":
		r.wrong = append(r.wrong, "a webhook has no id")
	case again && earlier != body:
		r.wrong = append(r.wrong, "a repeated webhook has another body")
	case !again:
		r.ids[id] = body
		r.bodies = append(r.bodies, body)
	}
}

// Bodies are the webhooks taken so far, each once, in the order in which they came first.
func (r *Receiver) Bodies() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.bodies...)
}

// Attempts is how many requests have come, and Wrong what was wrong with them.
func (r *Receiver) Attempts() (n int, wrong []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.attempts, append([]string(nil), r.wrong...)
}

// Wait returns once n different webhooks have been taken, or when done is closed.
func (r *Receiver) Wait(done <-chan struct{}, n int) {
	for len(r.Bodies()) < n {
		select {
		case <-r.arrival:
		case <-done:
			return
		}
	}
}
