package send

import (
	"context"
	"crypto/tls"
	"net/http"
	"time"
)

// Probed is what a Sender found out about its target without a delivery.
type Probed struct {
	// Reason is why no connection could be made, in the words of Result; empty if one was.
	Reason string
	// Certificate is until when the target's certificate is valid, zero without TLS.
	Certificate time.Time
	// Ahead is by how much this machine's clock is ahead of the target's, if HasClock.
	Ahead    time.Duration
	HasClock bool
}

// Probe connects as Send does, within the target's timeout: it resolves its name, and
// checks its address and certificate. It then asks for the headers of the target's
// root, for its clock: neither the path of the webhooks nor any credentials are sent.
func (s *Sender) Probe(ctx context.Context) (probed Probed) {
	attempt, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	root := *s.url
	root.Path, root.RawPath, root.RawQuery = "/", "", ""
	request := (&http.Request{Method: http.MethodHead, URL: &root, Header: http.Header{"User-Agent": s.header["User-Agent"]}}).WithContext(attempt)
	response, tracker, err := roundTrip(s.connections.unshared(), request, nil)
	if err != nil {
		if reached := tracker.phase(); reached < sending {
			probed.Reason = classifyError(ctx, err, reached).Reason
		}
		return probed
	}
	defer response.Body.Close()
	if state := tlsState(response, tracker); state != nil && len(state.PeerCertificates) > 0 {
		probed.Certificate = state.PeerCertificates[0].NotAfter
	}
	if date, err := http.ParseTime(response.Header.Get("Date")); err == nil {
		probed.Ahead, probed.HasClock = time.Since(date), true
	}
	return probed
}

// tlsState returns that of a response's connection, nil without TLS. net/http does not
// know of it where the connection keeps the status.
func tlsState(response *http.Response, tracker *phaseTracker) *tls.ConnectionState {
	if conn := tracker.conn.Load(); conn != nil {
		if secured, ok := conn.Conn.(*tls.Conn); ok {
			state := secured.ConnectionState()
			return &state
		}
	}
	return response.TLS
}
