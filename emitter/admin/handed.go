package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"
)

const (
	// maxHanded is how many requests of other replicas are known at once, with their
	// responses.
	maxHanded = 16
	// keepHanded is how long a response is kept for the replica that asks for it.
	keepHanded = time.Minute
	// handedWait is how long the response to a new request is waited for before the
	// replica that asked is told to ask again. Meanwhile no other one is answered.
	handedWait = 50 * time.Millisecond
)

// handed serves the requests that other replicas hand over, while this one leads.
type handed struct {
	link  Link
	leads func() bool
	// handler has the endpoints of the leader, without access control.
	handler http.Handler

	mu      sync.Mutex
	tasks   map[string]*task
	running sync.WaitGroup
}

// task is a request of another replica.
type task struct {
	// done is closed once there is a response.
	done     chan struct{}
	response handedResponse
	// ended is when there was, zero before; the lock of handed is for it.
	ended time.Time
}

// serve answers other replicas until ctx ends.
func (h *handed) serve(ctx context.Context) {
	for ctx.Err() == nil {
		if err := h.link.Answer(ctx, handoverTopic, h.answer); err != nil && ctx.Err() == nil {
			select {
			case <-time.After(askEvery):
			case <-ctx.Done():
			}
		}
	}
}

// wait waits until no request is served any more, or until ctx ends.
func (h *handed) wait(ctx context.Context) {
	ended := make(chan struct{})
	go func() {
		h.running.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-ctx.Done():
	}
}

// answer returns the response to a request, or that there is none yet; nil where this
// replica does not know the request and does not lead.
func (h *handed) answer(question []byte) []byte {
	var request handedRequest
	if json.Unmarshal(question, &request) != nil || request.ID == "" {
		return nil
	}
	t, isNew := h.take(&request)
	if t == nil {
		return nil
	}
	if isNew {
		select {
		case <-t.done:
		case <-time.After(handedWait):
		}
	}
	select {
	case <-t.done:
		return h.encode(&t.response)
	default:
		return h.encode(&handedResponse{})
	}
}

// take returns the task of a request, which it starts if it is new.
func (h *handed) take(request *handedRequest) (t *task, isNew bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for id, t := range h.tasks {
		if !t.ended.IsZero() && time.Since(t.ended) > keepHanded {
			delete(h.tasks, id)
		}
	}
	t = h.tasks[request.ID]
	switch {
	case t != nil || request.Target == "" || !h.leads():
		return t, false
	case len(h.tasks) >= maxHanded && !h.forgetOldest():
		t = &task{done: make(chan struct{}), response: failure(http.StatusServiceUnavailable, "the leader is busy with requests of other replicas: try again later")}
		close(t.done)
		return t, false
	}
	t = &task{done: make(chan struct{})}
	h.tasks[request.ID] = t
	h.running.Go(func() { h.run(t, request) })
	return t, true
}

// forgetOldest makes room for a request; ok is false if all are in progress.
func (h *handed) forgetOldest() (ok bool) {
	var oldest string
	for id, t := range h.tasks {
		if !t.ended.IsZero() && (oldest == "" || t.ended.Before(h.tasks[oldest].ended)) {
			oldest = id
		}
	}
	delete(h.tasks, oldest)
	return oldest != ""
}

// run serves a request as if it had come in here.
func (h *handed) run(t *task, request *handedRequest) {
	ctx, cancel := context.WithTimeout(context.Background(), requestTimeout)
	defer cancel()
	response := keptResponse{header: http.Header{}, status: http.StatusOK, room: h.link.MaxMessage()}
	r, err := http.NewRequestWithContext(ctx, request.Method, request.Target, bytes.NewReader(request.Body))
	if err != nil {
		http.Error(&response, "cannot understand the request of another replica", http.StatusBadRequest)
	} else {
		r.Header.Set("Content-Type", request.ContentType)
		h.handler.ServeHTTP(&response, r)
	}
	t.response = response.handed()
	h.mu.Lock()
	t.ended = time.Now()
	h.mu.Unlock()
	close(t.done)
}

// encode returns a response as a message, or says that it is too long for one.
func (h *handed) encode(response *handedResponse) []byte {
	encoded, err := json.Marshal(response)
	if err == nil && len(encoded) <= h.link.MaxMessage() {
		return encoded
	}
	tooLong := failure(http.StatusServiceUnavailable, fmt.Sprintf("done, but the response is longer than a message between replicas (%d bytes)", h.link.MaxMessage()))
	encoded, _ = json.Marshal(tooLong) // texts and numbers only
	return encoded
}

func failure(status int, text string) handedResponse {
	return handedResponse{Done: true, Status: status, Header: map[string]string{"Content-Type": "text/plain; charset=utf-8"}, Body: []byte(text + "\n")}
}

// keptResponse keeps what a handler responds, up to one byte more than there is room for.
type keptResponse struct {
	header http.Header
	status int
	room   int
	body   []byte
}

// Header implements http.ResponseWriter.
func (k *keptResponse) Header() http.Header { return k.header }

// WriteHeader implements http.ResponseWriter.
func (k *keptResponse) WriteHeader(status int) { k.status = status }

// Write implements io.Writer.
func (k *keptResponse) Write(p []byte) (int, error) {
	k.body = append(k.body, p[:min(len(p), k.room+1-len(k.body))]...)
	return len(p), nil
}

func (k *keptResponse) handed() handedResponse {
	header := map[string]string{}
	for _, name := range []string{"Content-Type", "Retry-After"} {
		if value := k.header.Get(name); value != "" {
			header[name] = value
		}
	}
	return handedResponse{Done: true, Status: k.status, Header: header, Body: k.body}
}
