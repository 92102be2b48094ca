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
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"

	"github.com/sidehook/sidehook/rules/config"
)

const (
	excerptLimit = 1 << 10
	// drainLimit is how much of a body is read so that its connection can be used again.
	drainLimit = 16 << 10
	// drainTime is how long a target may take over a body once its status is known.
	drainTime = time.Second
)

// SenderOptions are what a Sender needs.
type SenderOptions struct {
	// Name of the target in the configuration.
	Name   string
	Target config.Target
	// Version of sidehook, for User-Agent.
	Version string
	Logger  *slog.Logger
}

// Sender makes the attempts of one target. It may be used by many goroutines.
type Sender struct {
	connections *connections
	url         *url.URL
	header      http.Header
	signer      signer
	timeout     time.Duration
	drainTime   time.Duration
}

// NewSender reads the target's certificates, so it can fail; it connects to nothing.
func NewSender(o SenderOptions) (*Sender, error) {
	address, err := url.Parse(o.Target.URL.Reveal())
	if err != nil { // whose text is the URL
		return nil, errors.New("could not parse its url")
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
	}, nil
}

// Send makes one attempt of d, signed as of at, and tells how it ended. It
// takes no longer than the target's timeout. A connection that had died idle
// is made up for by a second one, once, within the same attempt. The transport
// may hold d.Body for a moment after Send returns, so it must never change.
func (s *Sender) Send(ctx context.Context, d *outbox.Delivery, at time.Time) Result {
	start := time.Now()
	attempt, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()

	response, reached, err := s.post(attempt, d, at)
	result := Result{}
	if err != nil {
		result = classifyError(ctx, err, reached)
	} else {
		result = s.classify(response, at.Add(time.Since(start)))
		result.Excerpt = s.finish(response, result.Outcome, cancel)
	}
	result.Duration = time.Since(start)
	return result
}

// Close lets go of idle connections.
func (s *Sender) Close() { s.connections.close() }

// post sends d's request, a second time where the first met a dead connection.
// net/http would do that only for what it takes for idempotent, and as often
// as it finds another dead connection.
func (s *Sender) post(ctx context.Context, d *outbox.Delivery, at time.Time) (*http.Response, phase, error) {
	request := s.request(ctx, d, at)
	response, progress, err := s.roundTrip(request, d.Body)
	if err != nil && progress.diedIdle() && ctx.Err() == nil {
		s.connections.close() // the others will be as dead
		response, progress, err = s.roundTrip(request, d.Body)
	}
	return response, progress.phase(), err
}

func (s *Sender) request(ctx context.Context, d *outbox.Delivery, at time.Time) *http.Request {
	header := s.header.Clone()
	setOrDelete(header, "Content-Type", d.ContentType)
	setOrDelete(header, "Webhook-Id", d.ID)
	setOrDelete(header, "Webhook-Timestamp", strconv.FormatInt(at.Unix(), 10))
	setOrDelete(header, "Webhook-Signature", s.signer.standard(d.ID, at, d.Body))
	setOrDelete(header, "X-Decsys-Signature", s.signer.decsysHeader(d.Body))
	setOrDelete(header, "Traceparent", d.Traceparent)
	setOrDelete(header, "Webhook-Redelivery", redelivery(d))
	request := &http.Request{Method: http.MethodPost, URL: s.url, Header: header, ContentLength: int64(len(d.Body))}
	return request.WithContext(ctx)
}

// classify is classifyAnswer for a response that may be a proxy's.
func (s *Sender) classify(response *http.Response, at time.Time) Result {
	if response.StatusCode == http.StatusProxyAuthRequired && s.connections.isRelayed(response.Request) {
		return classifyProxy(response.StatusCode)
	}
	return classifyAnswer(response, at)
}

// roundTrip sends request without GetBody, so that the transport itself never sends it twice.
func (s *Sender) roundTrip(request *http.Request, body []byte) (*http.Response, *progress, error) {
	progress := &progress{}
	request = request.WithContext(httptrace.WithClientTrace(request.Context(), progress.trace()))
	request.Body = io.NopCloser(bytes.NewReader(body))
	response, err := s.connections.transport().RoundTrip(request)
	return response, progress, err
}

// finish reads a little of the body: for the excerpt of a failure, and so that
// the connection can be used again. The status is the target's word; how its
// body ends changes nothing.
func (s *Sender) finish(response *http.Response, outcome Outcome, cancel context.CancelFunc) (excerpt []byte) {
	defer response.Body.Close()
	if response.Body == http.NoBody || response.StatusCode == http.StatusSwitchingProtocols {
		return nil
	}
	timer := time.AfterFunc(s.drainTime, cancel)
	defer timer.Stop()
	if outcome != Delivered {
		excerpt, _ = io.ReadAll(io.LimitReader(response.Body, excerptLimit))
	}
	_, _ = io.CopyN(io.Discard, response.Body, drainLimit)
	return excerpt
}
