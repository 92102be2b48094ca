package send

import (
	"bytes"
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"sync"
)

// statusLineLimit is how much of a response's line is kept, in bytes: the status code
// is among the first.
const statusLineLimit = len("HTTP/1.1 200 ")

// statusConn is a connection of HTTP/1.1 that keeps the status of the response that
// is being read. net/http has no response where it cannot read what follows the
// status line, though that alone says whether the target took the delivery.
type statusConn struct {
	net.Conn

	mu sync.Mutex
	// line is the begin of the line that is being read, and length its length so far.
	line   []byte
	length int
	state  statusState
	status int
}

// statusState is what the next line of a response is.
type statusState int

const (
	atStatusLine statusState = iota
	inInterim                // a line of an interim response (1xx), after its status line
	afterStatus              // of no interest
)

// String returns the name of the state.
func (s statusState) String() string {
	return [...]string{"at status line", "in interim", "after status"}[s]
}

// begin prepares for the response to another request.
func (c *statusConn) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.line, c.length, c.state, c.status = c.line[:0], 0, atStatusLine, 0
}

// Read implements io.Reader.
func (c *statusConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	for rest := p[:n]; len(rest) > 0 && c.state != afterStatus; {
		line, after, isWhole := bytes.Cut(rest, []byte{'\n'})
		c.line = append(c.line, line[:min(len(line), statusLineLimit-len(c.line))]...)
		c.length += len(line)
		if isWhole {
			c.endLine()
		}
		rest = after
	}
	return n, err
}

func (c *statusConn) endLine() {
	isEmpty := c.length == 0 || c.length == 1 && c.line[0] == '\r'
	switch {
	case c.state == atStatusLine:
		c.status = parseStatus(c.line)
		c.state = afterStatus
		if c.status/100 == 1 && c.status != http.StatusSwitchingProtocols {
			c.state = inInterim
		}
	case isEmpty:
		c.state = atStatusLine
	}
	c.line, c.length = c.line[:0], 0
}

// read returns the status of the final response, 0 if its line has not come.
func (c *statusConn) read() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state != afterStatus {
		return 0
	}
	return c.status
}

// parseStatus returns the code of a status line (RFC 9112 section 4), 0 if it is none.
func parseStatus(line []byte) int {
	version, rest, _ := bytes.Cut(bytes.TrimRight(line, "\r"), []byte{' '})
	code, _, _ := bytes.Cut(rest, []byte{' '})
	status, err := strconv.Atoi(string(code))
	if err != nil || len(code) != 3 || !bytes.HasPrefix(version, []byte("HTTP/1.")) {
		return 0
	}
	return status
}

// dialFunc is DialContext or DialTLSContext of a transport.
type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// keepStatus makes the connections of dial keep the status.
func keepStatus(dial dialFunc) dialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &statusConn{Conn: conn}, nil
	}
}

// dialTLS returns a dialer for TLS. A connection of HTTP/1.1 keeps the status; one of
// HTTP/2 is a *tls.Conn, by which net/http recognizes it.
func dialTLS(dial dialFunc, settings *tls.Config) dialFunc {
	settings = settings.Clone()
	settings.NextProtos = []string{"h2", "http/1.1"}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		raw, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		conn, err := handshake(ctx, raw, address, settings)
		if err != nil {
			_ = raw.Close()
			return nil, err
		}
		if conn.ConnectionState().NegotiatedProtocol == "h2" {
			return conn, nil
		}
		return &statusConn{Conn: conn}, nil
	}
}

func handshake(ctx context.Context, raw net.Conn, address string, settings *tls.Config) (*tls.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	settings = settings.Clone()
	settings.ServerName = host
	if trace := httptrace.ContextClientTrace(ctx); trace != nil && trace.TLSHandshakeStart != nil {
		trace.TLSHandshakeStart()
	}
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	conn := tls.Client(raw, settings)
	return conn, conn.HandshakeContext(ctx)
}
