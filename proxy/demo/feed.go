package demo

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"sync"

	"github.com/sidehook/sidehook/rules/jsonpath"
)

const (
	// maxShown is how many webhooks are kept to be shown, the last ones.
	maxShown = 50
	// maxShownBody is the longest body that is shown, in bytes.
	maxShownBody = 64 << 10
)

// shownWebhook is a webhook beside the survey.
type shownWebhook struct {
	Line string `json:"line"`
	Body string `json:"body"`
	// Next is what to do now, empty if there is nothing to say.
	Next string `json:"next,omitempty"`
}

// feed is what the demo's receiver got, as server-sent events for the page of the
// survey: http://127.0.0.1 may read it, and nobody else.
type feed struct {
	stopped <-chan struct{}

	mu    sync.Mutex
	shown []shownWebhook // the last ones
	first int            // how many were before them
	more  chan struct{}  // closed when there is another one
}

// newFeed returns a feed that ends its streams once stopped is closed.
func newFeed(stopped <-chan struct{}) *feed {
	return &feed{stopped: stopped, more: make(chan struct{})}
}

func (f *feed) add(line string, body []byte) {
	pretty := "(too long to be shown)"
	if len(body) <= maxShownBody {
		pretty = string(jsonpath.Indent(body, "", "  "))
	}
	webhook := shownWebhook{Line: line, Body: pretty}
	if isCompletion(body) {
		webhook.Next = nextStep
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.shown = append(f.shown, webhook)
	if len(f.shown) > maxShown {
		f.shown = append([]shownWebhook(nil), f.shown[1:]...)
		f.first++
	}
	close(f.more)
	f.more = make(chan struct{})
}

// since returns the webhooks from the n-th on, the number of the first of them, and
// what is closed when there is another one.
func (f *feed) since(n int) (shown []shownWebhook, first int, more <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	end := f.first + len(f.shown)
	if n < f.first || n > end { // n > end: from an earlier demo at this address
		n = f.first
	}
	return f.shown[n-f.first:], n, f.more
}

// ServeHTTP implements http.Handler.
func (f *feed) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !isLoopback(r.Host) {
		http.Error(w, "only for this machine", http.StatusForbidden)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	stream := http.NewResponseController(w)
	next, _ := strconv.Atoi(r.Header.Get("Last-Event-ID"))
	for {
		shown, first, more := f.since(next)
		for i, webhook := range shown {
			text, err := json.Marshal(webhook)
			if err != nil {
				return
			}
			fmt.Fprintf(w, "id: %d\ndata: %s\n\n", first+i+1, text)
		}
		next = first + len(shown)
		if stream.Flush() != nil {
			return
		}
		select {
		case <-more:
		case <-r.Context().Done():
			return
		case <-f.stopped:
			return
		}
	}
}

// isLoopback reports whether a Host is this machine, and not the name of a site whose
// name server says so.
func isLoopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}
