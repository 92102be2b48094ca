package send

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/rules/config"
)

const (
	// excerptLimit is how many bytes of a failed response are kept.
	excerptLimit = 1 << 10
	// drainLimit is how many bytes of a response are read to make its connection reusable.
	drainLimit = 16 << 10
	// drainTime bounds how long the body of a response may take once its status is known.
	drainTime = time.Second
)

// Options configure a Sender; all are required.
type Options struct {
	// Name of the target in the configuration.
	Name   string
	Target config.Target
	// Version of sidehook, for User-Agent.
	Version string
	// IsTest marks every attempt as a test, in the header webhook-test, and keeps the
	// beginning of successful responses, too.
	IsTest bool
	Logger *slog.Logger
}

// Sender makes the attempts of one target. It is safe for concurrent use.
type Sender struct {
	connections *connections
	url         *url.URL
	header      http.Header
	signer      signer
	timeout     time.Duration
	drainTime   time.Duration
	isTest      bool
}

// New returns a Sender. It fails if a certificate file of the target cannot be
// used, and opens no connection.
func New(o Options) (*Sender, error) {
	address, err := url.Parse(o.Target.URL.Reveal())
	if err != nil { // the error's text would show the URL
		return nil, errors.New("cannot parse its url")
	}
	header := constantHeader(o.Target, address.User, o.Version)
	address.User = nil
	connections, err := newConnections(o)
	if err != nil {
		return nil, err
	}
	return &Sender{
		connections: connections,
		url:         address,
		header:      header,
		signer:      newSigner(o.Target),
		timeout:     time.Duration(o.Target.Timeout),
		drainTime:   drainTime,
		isTest:      o.IsTest,
	}, nil
}

// Send makes one attempt of d, signed as of at, and returns how it ended. It
// takes no longer than the target's timeout. If a kept connection turns out to
// have died while idle, the request goes out once more on a new one, within the
// same attempt. The transport may still read d.Body for a moment after Send
// returns, so its bytes must never change.
func (s *Sender) Send(ctx context.Context, d *outbox.Delivery, at time.Time) Result {
	start := time.Now()
	attempt, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()

	response, tracker, err := s.post(attempt, d, at)
	result := Result{}
	switch status := tracker.status(); {
	case err == nil:
		result = s.classify(response, at.Add(time.Since(start)))
		result.Excerpt = s.drain(response, result.Outcome, cancel)
	case classifyStatus(status) == Delivered:
		result = Result{Outcome: Delivered, Status: status}
	default:
		result = classifyError(ctx, err, tracker.phase())
	}
	result.Duration = time.Since(start)
	return result
}

// Close closes idle connections. No attempt may be in flight: it could lose its response.
func (s *Sender) Close() { s.connections.close() }

// post sends d's request, and sends it once more, on a connection of its own, if the
// first met a connection that had died idle, or over which the target takes no more
// requests (RFC 9113 section 6.8). net/http itself would retry only what it considers
// idempotent, and as often as it found another such connection.
func (s *Sender) post(ctx context.Context, d *outbox.Delivery, at time.Time) (*http.Response, *phaseTracker, error) {
	request := s.request(ctx, d, at)
	response, tracker, err := roundTrip(s.connections.transport(), request, d.Body)
	if err != nil && (tracker.diedIdle() || isGoAway(err)) && ctx.Err() == nil {
		response, tracker, err = roundTrip(s.connections.unshared(), request, d.Body)
	}
	return response, tracker, err
}

// isGoAway reports whether a connection of HTTP/2 ended with GOAWAY. net/http has no
// value for this error.
func isGoAway(err error) bool { return strings.Contains(err.Error(), "GOAWAY") }

func (s *Sender) request(ctx context.Context, d *outbox.Delivery, at time.Time) *http.Request {
	header := s.header.Clone()
	setUnlessEmpty(header, "Content-Type", d.ContentType)
	setUnlessEmpty(header, "webhook-id", d.ID)
	setUnlessEmpty(header, "webhook-timestamp", strconv.FormatInt(at.Unix(), 10))
	setUnlessEmpty(header, "webhook-signature", s.signer.standard(d.ID, at, d.Body))
	setUnlessEmpty(header, DecsysSignature, s.signer.decsysHeader(d.Body))
	setUnlessEmpty(header, "traceparent", d.Traceparent)
	setUnlessEmpty(header, "webhook-redelivery", redelivery(d))
	if s.isTest {
		header["webhook-test"] = []string{"true"}
	}
	request := &http.Request{Method: http.MethodPost, URL: s.url, Header: header, ContentLength: int64(len(d.Body))}
	return request.WithContext(ctx)
}

// classify classifies a response that may come from a forward proxy.
func (s *Sender) classify(response *http.Response, at time.Time) Result {
	if response.StatusCode == http.StatusProxyAuthRequired && s.connections.mayBeFromProxy(response.Request) {
		return classifyProxy(response.StatusCode)
	}
	return classifyResponse(response, at)
}

// roundTrip sends request without GetBody, so that the transport never sends it twice.
func roundTrip(transport *http.Transport, request *http.Request, body []byte) (*http.Response, *phaseTracker, error) {
	tracker := &phaseTracker{}
	request = request.WithContext(httptrace.WithClientTrace(request.Context(), tracker.trace()))
	request.Body = io.NopCloser(bytes.NewReader(body))
	response, err := transport.RoundTrip(request)
	return response, tracker, err
}

// drain reads a little of the body: for the excerpt of a failure, and to make
// the connection reusable. The status decides the outcome, however the body ends.
func (s *Sender) drain(response *http.Response, outcome Outcome, cancel context.CancelFunc) (excerpt []byte) {
	defer response.Body.Close()
	if response.Body == http.NoBody || response.StatusCode == http.StatusSwitchingProtocols {
		return nil
	}
	timer := time.AfterFunc(s.drainTime, cancel)
	defer timer.Stop()
	if outcome != Delivered || s.isTest {
		excerpt, _ = io.ReadAll(io.LimitReader(response.Body, excerptLimit))
	}
	_, _ = io.CopyN(io.Discard, response.Body, drainLimit)
	return excerpt
}
