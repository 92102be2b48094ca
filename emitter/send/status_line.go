package send

import (
	"bytes"
	"net"
	"net/http"
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
