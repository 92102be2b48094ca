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

// patience is how long anything that is timed may take, before it counts as never.
const patience = 2 * time.Second

var errNever = errors.New("never")

// scripted is an app in this process, whose every move is timed. Each of its
// connections is used once.
type scripted struct {
	listener net.Listener
	arrivals chan arrival
	serving  sync.WaitGroup
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
	s := &scripted{listener: l, arrivals: make(chan arrival)}
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
		s.serving.Go(func() { s.read(conn) })
	}
}

// read reads a head. Whoever takes the arrival closes the connection.
func (s *scripted) read(conn net.Conn) {
	_ = conn.SetDeadline(time.Now().Add(2 * patience))
	in := bufio.NewReader(conn)
	if _, _, err := readHeaders(in); err != nil {
		conn.Close()
		return
	}
	select {
	case s.arrivals <- arrival{time.Now(), conn, in}:
	case <-time.After(patience):
		conn.Close()
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
	x := &exchange{client: conn.(*net.TCPConn), reply: bufio.NewReader(conn), sent: time.Now()}
	if _, err := io.WriteString(conn, request); err != nil {
		conn.Close()
		return nil, fmt.Errorf("cannot send a request to the proxy: %w", err)
	}
	select {
	case x.app = <-s.arrivals:
		return x, nil
	case <-time.After(patience):
		conn.Close()
		return nil, errNever
	}
}

func (x *exchange) close() {
	x.client.Close()
	x.app.conn.Close()
}

// answer sends bytes from the app.
func (x *exchange) answer(text string) error {
	_, err := io.WriteString(x.app.conn, text)
	return err
}

// awaitHead waits until the client has read the head of the answer.
func (x *exchange) awaitHead() error {
	for {
		line, err := x.reply.ReadString('\n')
		if err != nil || strings.TrimSpace(line) == "" {
			return err
		}
	}
}
