package send

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"
)

// rawReceiver is a target that answers with any bytes it likes. Each request
// it reads is handed to respond with its connection, both counted from 1;
// respond returning false closes the connection.
type rawReceiver struct {
	url      string
	mu       sync.Mutex
	requests int
}

type responder func(conn net.Conn, connection, request int) (keep bool)

func newRawReceiver(t *testing.T, respond responder) *rawReceiver {
	t.Helper()
	return newRawReceiverOn(t, listenOnLoopback(t), "http", respond)
}

func listenOnLoopback(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return listener
}

func newRawReceiverOn(t *testing.T, listener net.Listener, scheme string, respond responder) *rawReceiver {
	t.Helper()
	r := &rawReceiver{url: scheme + "://" + listener.Addr().String()}
	open := &openConns{}
	var serving sync.WaitGroup
	t.Cleanup(func() {
		_ = listener.Close()
		open.closeAll()
		serving.Wait()
	})
	serving.Go(func() {
		for connection := 1; ; connection++ {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			open.add(conn)
			serving.Go(func() { r.serve(conn, connection, respond) })
		}
	})
	return r
}

func (r *rawReceiver) serve(conn net.Conn, connection int, respond responder) {
	defer conn.Close()
	reader := bufio.NewReader(conn)
	for {
		request, err := http.ReadRequest(reader)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, request.Body)
		r.mu.Lock()
		r.requests++
		n := r.requests
		r.mu.Unlock()
		if !respond(conn, connection, n) {
			return
		}
	}
}

func (r *rawReceiver) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.requests
}

// openConns lets a test end connections that hang on purpose.
type openConns struct {
	mu     sync.Mutex
	closed bool
	conns  []net.Conn
}

func (o *openConns) add(conn net.Conn) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		_ = conn.Close()
	}
	o.conns = append(o.conns, conn)
}

func (o *openConns) closeAll() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	for _, conn := range o.conns {
		_ = conn.Close()
	}
}

// respond answers each request with the same bytes and goes on.
func respond(text string) responder {
	return func(conn net.Conn, _, _ int) bool {
		_, err := io.WriteString(conn, text)
		return err == nil
	}
}

// respondAndClose answers with the same bytes and ends the connection.
func respondAndClose(text string) responder {
	return func(conn net.Conn, connection, request int) bool {
		respond(text)(conn, connection, request)
		return false
	}
}

// respondForever writes start, then again and again more, until nobody reads on.
func respondForever(start, more string) responder {
	return func(conn net.Conn, _, _ int) bool {
		_, err := io.WriteString(conn, start)
		for err == nil {
			_, err = io.WriteString(conn, more)
		}
		return false
	}
}

// respondSlowly writes start, then more every few milliseconds, so that no read takes long.
func respondSlowly(start, more string) responder {
	return func(conn net.Conn, _, _ int) bool {
		_, err := io.WriteString(conn, start)
		for err == nil {
			time.Sleep(5 * time.Millisecond)
			_, err = io.WriteString(conn, more)
		}
		return false
	}
}

// respondAndHang writes text, then nothing, until the sender goes away.
func respondAndHang(text string) responder {
	return func(conn net.Conn, _, _ int) bool {
		_, _ = io.WriteString(conn, text)
		_, _ = io.Copy(io.Discard, conn)
		return false
	}
}

// respondAndReset writes text and ends the connection with a RST.
func respondAndReset(text string) responder {
	return func(conn net.Conn, _, _ int) bool {
		_, _ = io.WriteString(conn, text)
		if secured, ok := conn.(*tls.Conn); ok {
			conn = secured.NetConn()
		}
		_ = conn.(*net.TCPConn).SetLinger(0)
		return false
	}
}
