package proxy

import (
	"bufio"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"time"
)

// testConn is one end of a connection, on which a test compares bytes and leaves
// HTTP unparsed.
type testConn struct {
	*net.TCPConn
	t  testing.TB
	in *bufio.Reader
}

// closing is a way to end a connection.
type closing string

const (
	halfClosed closing = "half-closed"
	closed     closing = "closed"
	reset      closing = "reset"
)

func newTestConn(t testing.TB, conn net.Conn) *testConn {
	conn.SetDeadline(time.Now().Add(testTimeout))
	return &testConn{conn.(*net.TCPConn), t, bufio.NewReaderSize(conn, 256<<10)}
}

// dial connects a participant.
func dial(t testing.TB, p *Proxy) *testConn {
	t.Helper()
	conn, err := net.Dial("tcp", p.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return newTestConn(t, conn)
}

// send writes all of text. It only logs errors: the other side may have left.
func (w *testConn) send(text string) {
	if _, err := io.WriteString(w, text); err != nil && !errors.Is(err, net.ErrClosed) {
		w.t.Logf("send: %v", err)
	}
}

// readHead reads up to the empty line that ends a head, or to the end of the
// connection; empty if nothing came.
func (w *testConn) readHead() string {
	head, _ := w.readHeadOrEnd()
	return head
}

// readHeadOrEnd is readHead, and returns how the connection ended, if it did.
func (w *testConn) readHeadOrEnd() (head, end string) {
	for {
		line, err := w.in.ReadString('\n')
		head += line
		if err != nil {
			return head, endOf(err)
		}
		if line == "\r\n" {
			return head, ""
		}
	}
}

// readN reads n bytes, or up to the end of the connection.
func (w *testConn) readN(n int) string {
	buf := make([]byte, n)
	n, _ = io.ReadFull(w.in, buf)
	return string(buf[:n])
}

// readAll reads up to the end of the connection.
func (w *testConn) readAll() (string, error) {
	all, err := io.ReadAll(w.in)
	return string(all), err
}

// closeAs ends the connection.
func (w *testConn) closeAs(how closing) {
	switch how {
	case halfClosed:
		w.CloseWrite()
	case reset:
		w.SetLinger(0)
		w.Close()
	default:
		w.Close()
	}
}

// expectEnd fails unless the other side closes without sending anything.
func (w *testConn) expectEnd() {
	w.t.Helper()
	b, err := w.in.ReadByte()
	var timeout net.Error
	if err == nil {
		w.t.Errorf("got %q instead of the end of the connection", string(b)+w.readN(w.in.Buffered()))
	} else if errors.As(err, &timeout) && timeout.Timeout() {
		w.t.Error("the connection was not closed")
	}
}

// expectNothing fails if something has been read ahead.
func (w *testConn) expectNothing() {
	w.t.Helper()
	if n := w.in.Buffered(); n > 0 {
		w.t.Errorf("got %q, which is too much", w.readN(n))
	}
}

// endOf names the end of a connection by the error that reading gave.
func endOf(err error) string {
	switch {
	case err == nil, errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "end"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "reset"
	}
	return err.Error()
}
