package proxy

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"
)

// connectedSocket returns a socket, its connection, and the other side.
func connectedSocket(t *testing.T) (*plainConn, *testConn) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	near, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	far, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { near.Close(); far.Close() })
	near.SetDeadline(time.Now().Add(testTimeout))
	conn, err := newPlainConn(near.(streamConn))
	if err != nil {
		t.Fatal(err)
	}
	return conn, newTestConn(t, far)
}

func TestSocketStateFollowsThePeer(t *testing.T) {
	conn, peer := connectedSocket(t)
	becomes := func(want peerState) {
		t.Helper()
		eventually(t, "the peer is "+want.String(), func() bool { return conn.state() == want })
	}
	becomes(peerIdle)
	peer.send("x")
	becomes(peerReadable)
	becomes(peerReadable) // looking consumes nothing
	equal(t, "idle with data unread", conn.isIdle(), false)
	conn.Read(make([]byte, 9))
	becomes(peerIdle)
	equal(t, "idle with data read", conn.isIdle(), true)
	peer.send("y")
	peer.CloseWrite()
	becomes(peerReadable) // data comes before the end
	conn.Read(make([]byte, 9))
	becomes(peerClosed)
	equal(t, "idle after the end", conn.isIdle(), false)
	if _, err := conn.Read(make([]byte, 9)); !errors.Is(err, io.EOF) {
		t.Errorf("got %v, want io.EOF", err)
	}
	conn.Close()
	becomes(peerClosed)
}

func TestSocketWaitsForTheEndOnly(t *testing.T) {
	f := func(name string, act func(conn *plainConn, peer *testConn), want bool) {
		t.Run(name, func(t *testing.T) {
			conn, peer := connectedSocket(t)
			act(conn, peer)
			equal(t, "ended", conn.awaitEnd(), want)
		})
	}
	f("closed", func(_ *plainConn, peer *testConn) { peer.Close() }, true)
	f("half-closed", func(_ *plainConn, peer *testConn) { peer.CloseWrite() }, true)
	f("reset", func(_ *plainConn, peer *testConn) { peer.SetLinger(0); peer.Close() }, true)
	f("readable", func(_ *plainConn, peer *testConn) { peer.send("x") }, false)
	f("past its read deadline", func(conn *plainConn, _ *testConn) { conn.SetReadDeadline(time.Now()) }, false)
	f("closed here", func(conn *plainConn, _ *testConn) { conn.Close() }, false)
}

func TestSocketWaitsForAResponseUntilItsReadDeadline(t *testing.T) {
	conn, peer := connectedSocket(t)
	go func() { peer.send(peer.readN(1)) }()
	n, err := conn.writeAndAwait([]byte("x"))
	equal(t, "written", n, 1)
	equal(t, "error", err, nil)
	equal(t, "state", conn.state(), peerReadable)
	conn.Read(make([]byte, 9))

	conn.SetReadDeadline(time.Now().Add(time.Millisecond))
	n, err = conn.writeAndAwait([]byte("x"))
	equal(t, "written without a response", n, 1)
	equal(t, "error without a response", err, nil)
	if _, err := conn.Read(make([]byte, 9)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("got %v, want os.ErrDeadlineExceeded", err)
	}
}
