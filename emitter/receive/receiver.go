package receive

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/sidehook/sidehook/rules/config"
	"github.com/sidehook/sidehook/rules/jsonpath"
	"github.com/sidehook/sidehook/rules/terminal"
)

const (
	// maxBody is the longest body that is received, in bytes.
	maxBody = 32 << 20
	// maxAnswer is how much of the answer of Forward is passed back, in bytes.
	maxAnswer = 64 << 10
	// forwardTimeout bounds a request to Forward.
	forwardTimeout = 15 * time.Second
)

// Receiver is an http.Handler that verifies each webhook and prints it. It answers
// 204, or 401 if the webhook does not verify.
type Receiver struct {
	// Secret is what webhooks are signed with.
	Secret config.Secret
	// Out gets a line for each webhook. Writes to it do not overlap.
	Out io.Writer
	// HasBodies is whether bodies are printed, too.
	HasBodies bool
	// Answer is the status of every answer, 0 for the usual ones.
	Answer int
	// Forward is where webhooks are sent on as they came; its answers are passed
	// back. Nil is nowhere.
	Forward *url.URL
	// Received is called for each webhook that verifies, if it is not nil, with the
	// line that is printed.
	Received func(line string, body []byte)
	// Now is the clock; nil means time.Now.
	Now func() time.Time

	printing sync.Mutex
}

// ServeHTTP implements http.Handler.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	at := r.now()
	if request.Header.Get("Origin") != "" {
		http.Error(w, "webhooks come from no page of a browser", http.StatusForbidden)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, request.Body, maxBody))
	if err != nil {
		status := http.StatusBadRequest
		if tooLong := (*http.MaxBytesError)(nil); errors.As(err, &tooLong) {
			status = http.StatusRequestEntityTooLarge
		}
		r.print(terminal.Line("✗ not read: "+err.Error()), nil)
		http.Error(w, "cannot read the webhook: "+err.Error(), status)
		return
	}
	mismatch := Verify(request.Header, body, r.Secret, at)
	line := describe(request.Header, body, mismatch, at)
	r.print(line, body)
	if mismatch == nil && r.Received != nil {
		r.Received(line, body)
	}
	switch {
	case r.Answer != 0:
		w.WriteHeader(r.Answer)
	case r.Forward != nil:
		r.forward(w, request, body)
	case mismatch != nil:
		http.Error(w, mismatch.Error(), http.StatusUnauthorized)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

func (r *Receiver) now() time.Time {
	if r.Now != nil {
		return r.Now()
	}
	return time.Now()
}

// describe returns the line of a webhook.
func describe(header http.Header, body []byte, mismatch error, at time.Time) string {
	summary := Summarise(body)
	parts := []string{cmp.Or(summary.Event, "unknown event")}
	if summary.Way != "" {
		parts = append(parts, summary.Way)
	}
	mark, outcome := "✓", "verified"
	if mismatch != nil {
		mark, outcome = "✗", "not verified: "+mismatch.Error()
	}
	parts = append(parts, outcome)
	if !summary.At.IsZero() {
		parts = append(parts, formatDelay(at.Sub(summary.At)))
	}
	for _, flag := range []struct{ name, text string }{{"webhook-test", "a test"}, {"webhook-redelivery", "redelivered"}} {
		if header.Get(flag.name) == "true" {
			parts = append(parts, flag.text)
		}
	}
	return terminal.Line(mark + " " + strings.Join(parts, " · "))
}

// formatDelay shows how long an event was on its way.
func formatDelay(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return d.Round(time.Second).String()
}

func (r *Receiver) print(line string, body []byte) {
	text := line + "\n"
	if r.HasBodies && body != nil {
		text += "  " + terminal.Text(string(jsonpath.Indent(body, "  ", "  "))) + "\n"
	}
	r.printing.Lock()
	defer r.printing.Unlock()
	fmt.Fprint(r.Out, text)
}

// forward sends a webhook on and passes the answer back.
func (r *Receiver) forward(w http.ResponseWriter, received *http.Request, body []byte) {
	ctx, cancel := context.WithTimeout(received.Context(), forwardTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, received.Method, r.Forward.String(), bytes.NewReader(body))
	if err != nil {
		http.Error(w, "cannot forward the webhook", http.StatusBadGateway)
		return
	}
	request.Header = received.Header.Clone()
	dropConnectionFields(request.Header)
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		r.print(terminal.Line("  not forwarded: "+err.Error()), nil)
		http.Error(w, "cannot forward the webhook", http.StatusBadGateway)
		return
	}
	defer response.Body.Close()
	dropConnectionFields(response.Header)
	maps.Copy(w.Header(), response.Header)
	w.WriteHeader(response.StatusCode)
	_, _ = io.Copy(w, io.LimitReader(response.Body, maxAnswer))
}

// dropConnectionFields removes what is about a connection (RFC 9110, section 7.6.1),
// and the length, which net/http sets.
func dropConnectionFields(header http.Header) {
	for _, value := range header.Values("Connection") {
		for name := range strings.SplitSeq(value, ",") {
			header.Del(strings.TrimSpace(name))
		}
	}
	for _, name := range []string{"Connection", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "Content-Length"} {
		header.Del(name)
	}
}
