package proxy

import (
	"io"
	"net"
	"syscall"
)

// socket reads and writes a connection past package net, whose calls tell the
// scheduler that they may block. These never do, and being told costs the
// goroutine its processor whenever a call takes longer than a scheduler's tick.
// One goroutine may read at a time, and one may write.
type socket struct {
	syscall.RawConn

	in, out transfer
	seen    peerState
	// The functions are bound once, so that a call allocates nothing.
	tryRead, tryWrite func(fd uintptr) bool
	tryAsk            func(fd uintptr) bool
	look              func(fd uintptr)
	asked             bool // by tryAsk
}

// transfer is what one call passes, in one direction.
type transfer struct {
	rest []byte // of the caller's buffer
	n    int    // bytes passed
	err  syscall.Errno
}

// peerState is what can be seen of the other side without reading.
type peerState int

const (
	peerQuiet peerState = iota // nothing to read
	peerSpoke                  // something to read
	peerLeft                   // closed, half-closed or reset
)

// open takes the socket of a connection. Afterwards s must not be copied.
func (s *socket) open(conn syscall.Conn) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	s.RawConn, s.tryRead, s.tryWrite = raw, s.readOnce, s.writeAll
	s.tryAsk = s.askOnce
	s.look = func(fd uintptr) { s.seen = peek(fd) }
	return nil
}

// read is io.Reader's Read.
func (s *socket) read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	s.in = transfer{rest: p}
	err := s.Read(s.tryRead)
	n, failed := s.in.n, s.in.err
	s.in = transfer{}
	switch {
	case err != nil:
		return 0, err
	case failed != 0:
		return 0, &net.OpError{Op: "read", Net: "tcp", Err: failed}
	case n == 0:
		return 0, io.EOF
	}
	return n, nil
}

// write is io.Writer's Write.
func (s *socket) write(p []byte) (int, error) {
	s.out = transfer{rest: p}
	err := s.Write(s.tryWrite)
	n, failed := s.out.n, s.out.err
	s.out = transfer{}
	if err == nil && failed != 0 {
		err = &net.OpError{Op: "write", Net: "tcp", Err: failed}
	}
	return n, err
}

// writeAndAwait writes, and then waits until there is something to read, the
// end, or the read deadline. It returns before all was written if that would
// take longer. What was there to read before the call may go unnoticed.
func (s *socket) writeAndAwait(p []byte) (int, error) {
	s.out = transfer{rest: p}
	s.asked = false
	err := s.Read(s.tryAsk)
	n, failed := s.out.n, s.out.err
	s.out = transfer{}
	if failed != 0 && failed != syscall.EAGAIN {
		return n, &net.OpError{Op: "write", Net: "tcp", Err: failed}
	}
	if err != nil && isTimeout(err) {
		err = nil
	}
	return n, err
}

// state looks at the socket. One goroutine may look at a time.
func (s *socket) state() peerState {
	if s.Control(s.look) != nil {
		return peerLeft
	}
	return s.seen
}

// await waits until there is something to read, or the end.
func (s *socket) await() error {
	return s.Read(func(fd uintptr) bool { return peek(fd) != peerQuiet })
}

// awaitEnd returns true when the other side has ended; false when it has said
// something, or the read deadline passed.
func (s *socket) awaitEnd() bool {
	ended := false
	err := s.Read(func(fd uintptr) bool {
		state := peek(fd)
		ended = state == peerLeft
		return state != peerQuiet
	})
	return err == nil && ended
}

// readOnce is true when there is nothing to wait for.
func (s *socket) readOnce(fd uintptr) bool {
	s.in.n, s.in.err = take(fd, s.in.rest, 0)
	return s.in.err != syscall.EAGAIN
}

// askOnce is true when there is nothing to wait for. What comes after the
// question was written wakes whoever waits: the poller was made ready before.
func (s *socket) askOnce(fd uintptr) bool {
	if s.asked {
		return true
	}
	s.asked = true
	return !s.writeAll(fd) || s.out.err != 0
}

// writeAll is true when there is nothing to wait for.
func (s *socket) writeAll(fd uintptr) bool {
	t := &s.out
	for t.err = 0; t.err == 0 && len(t.rest) > 0; {
		var n int
		n, t.err = give(fd, t.rest)
		t.n += n
		t.rest = t.rest[n:]
	}
	return t.err != syscall.EAGAIN
}

// peek looks at a socket without taking anything from it.
func peek(fd uintptr) peerState {
	var one [1]byte
	n, err := take(fd, one[:], syscall.MSG_PEEK)
	switch {
	case err == syscall.EAGAIN:
		return peerQuiet
	case err != 0 || n == 0:
		return peerLeft
	}
	return peerSpoke
}
