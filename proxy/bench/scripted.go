package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"
)

// patience bounds anything that is timed; what takes longer counts as never.
const patience = 2 * time.Second

var errNever = errors.New("never")

// scripted is an app in this process whose every write is timed. It hands over
// the connection of each request that bears the number of an exchange; to any
// other request it responds as Decsys does.
type scripted struct {
	listener net.Listener
	serving  sync.WaitGroup

	mu       sync.Mutex
	begun    int
	arrivals map[int]chan arrival // by exchange; guarded by mu
}

// arrival is a request whose head the app has read.
type arrival struct {
	at   time.Time
	conn net.Conn
	in   *bufio.Reader
}

func newScripted() (*scripted, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("cannot listen: %w", err)
	}
	s := &scripted{listener: l, arrivals: map[int]chan arrival{}}
	s.serving.Go(s.accept)
	return s, nil
}

func (s *scripted) address() string { return s.listener.Addr().String() }

func (s *scripted) close() {
	s.listener.Close()
	s.serving.Wait()
}

func (s *scripted) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.serving.Go(func() { s.converse(conn) })
	}
}

// converse reads heads up to that of an exchange, whose owner closes the connection.
func (s *scripted) converse(conn net.Conn) {
	in := bufio.NewReader(conn)
	for {
		_ = conn.SetDeadline(time.Now().Add(2 * patience))
		h, err := readHead(in)
		at := time.Now()
		if err == nil && h.exchange >= 0 && s.handOver(h.exchange, arrival{at, conn, in}) {
			return
		}
		if err == nil {
			_, err = conn.Write(h.responseToSidecar())
		}
		if err != nil {
			conn.Close()
			return
		}
	}
}

// expect returns the number of a new exchange and where its request arrives.
func (s *scripted) expect() (number int, arrives chan arrival) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.begun++
	arrives = make(chan arrival, 1)
	s.arrivals[s.begun] = arrives
	return s.begun, arrives
}

// handOver sends an arrival to the exchange, and reports whether it is expected.
func (s *scripted) handOver(number int, a arrival) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	arrives, isExpected := s.arrivals[number]
	if isExpected {
		delete(s.arrivals, number)
		arrives <- a
	}
	return isExpected
}

// giveUp withdraws an exchange, and closes the connection that has arrived meanwhile.
func (s *scripted) giveUp(number int, arrives chan arrival) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.arrivals, number)
	select {
	case a := <-arrives:
		a.conn.Close()
	default:
	}
}

// exchange is a request that was begun through a proxy: the client's side and the app's.
type exchange struct {
	client *net.TCPConn
	reply  *bufio.Reader
	sent   time.Time
	app    arrival
}

// begin sends the first bytes of a request to a proxy and waits for its head at the app.
func (s *scripted) begin(ctx context.Context, proxy, request string) (*exchange, error) {
	conn, err := (&net.Dialer{Timeout: patience}).DialContext(ctx, "tcp", proxy)
	if err != nil {
		return nil, fmt.Errorf("cannot connect to the proxy: %w", err)
	}
	_ = conn.SetDeadline(time.Now().Add(patience))
	number, arrives := s.expect()
	line, rest, _ := strings.Cut(request, "\r\n")
	x := &exchange{client: conn.(*net.TCPConn), reply: bufio.NewReader(conn), sent: time.Now()}
	if _, err := fmt.Fprintf(conn, "%s\r\n%s: %d\r\n%s", line, exchangeHeader, number, rest); err != nil {
		s.giveUp(number, arrives)
		conn.Close()
		return nil, fmt.Errorf("cannot send a request to the proxy: %w", err)
	}
	select {
	case x.app = <-arrives:
		return x, nil
	case <-time.After(patience):
		s.giveUp(number, arrives)
		conn.Close()
		return nil, errNever
	}
}

func (x *exchange) close() {
	x.client.Close()
	x.app.conn.Close()
}

// respond sends bytes from the app.
func (x *exchange) respond(text string) error {
	_, err := io.WriteString(x.app.conn, text)
	return err
}

// awaitHead waits until the client has read the head of the response.
func (x *exchange) awaitHead() error {
	for {
		line, err := x.reply.ReadString('\n')
		if err != nil || strings.TrimSpace(line) == "" {
			return err
		}
	}
}
