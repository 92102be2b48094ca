package proxy

import (
	"errors"
	"io"
	"net"
	"syscall"
)

// errWouldBlock means that there is nothing to read now.
var errWouldBlock = errors.New("there is nothing to read now")

// socket reads and writes a connection's file descriptor with system calls that
// never block, and waits for readiness through the runtime's poller. Package
// net does the same, but announces each call to the scheduler as one that may
// block, which costs the goroutine its processor whenever the call outlasts a
// scheduler tick.
//
// At most one goroutine may read, or wait to read, at a time, and one write.
// Deadlines are those of the connection.
type socket struct {
	raw syscall.RawConn

	reading, writing transfer
	peer             peerState
	// Bound once, so that no call allocates a closure.
	tryRead, tryReadNow, tryWrite, tryWriteThenWait, tryPeekThenWait func(fd uintptr) (done bool)

	look    func(fd uintptr)
	waiting bool // tryWriteThenWait has written, or tryPeekThenWait has looked
}

// transfer is the state of one call in one direction.
type transfer struct {
	rest []byte // of the caller's buffer
	n    int    // bytes transferred
	err  syscall.Errno
}

// peerState is what a socket shows of the other side without being read.
type peerState int

const (
	peerIdle     peerState = iota // connected, nothing to read
	peerReadable                  // something to read
	peerClosed                    // closed, half-closed or reset, nothing to read
)

// String names the state.
func (s peerState) String() string {
	switch s {
	case peerIdle:
		return "idle"
	case peerReadable:
		return "readable"
	}
	return "closed"
}

// open prepares s for conn. Afterwards s must not be copied.
func (s *socket) open(conn syscall.Conn) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	s.raw = raw
	s.tryRead, s.tryWrite = s.readOnce, s.writeAll
	s.tryReadNow = func(fd uintptr) bool { s.readOnce(fd); return true }
	s.tryWriteThenWait, s.tryPeekThenWait = s.writeThenWait, s.peekThenWait
	s.look = func(fd uintptr) { s.peer = peek(fd) }
	return nil
}

// read implements io.Reader.
func (s *socket) read(p []byte) (int, error) { return s.readBy(s.tryRead, p) }

// readNow is read, and returns errWouldBlock instead of blocking.
func (s *socket) readNow(p []byte) (int, error) { return s.readBy(s.tryReadNow, p) }

func (s *socket) readBy(try func(fd uintptr) bool, p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	s.reading = transfer{rest: p}
	err := s.raw.Read(try)
	n, errno := s.reading.n, s.reading.err
	s.reading = transfer{}
	switch {
	case err != nil:
		return 0, err
	case errno == syscall.EAGAIN:
		return 0, errWouldBlock
	case errno != 0:
		return 0, &net.OpError{Op: "read", Net: "tcp", Err: errno}
	case n == 0:
		return 0, io.EOF
	}
	return n, nil
}

// write implements io.Writer.
func (s *socket) write(p []byte) (int, error) {
	s.writing = transfer{rest: p}
	err := s.raw.Write(s.tryWrite)
	n, errno := s.writing.n, s.writing.err
	s.writing = transfer{}
	if err == nil && errno != 0 {
		err = &net.OpError{Op: "write", Net: "tcp", Err: errno}
	}
	return n, err
}

// writeAndAwait writes p, and then waits until there is something to read, the
// peer closes, or the read deadline passes. It returns early, and maybe without
// having written all of p, when the send buffer is full. Data that was readable
// before the call may not end the wait.
func (s *socket) writeAndAwait(p []byte) (int, error) {
	s.writing = transfer{rest: p}
	s.waiting = false
	err := s.raw.Read(s.tryWriteThenWait)
	n, errno := s.writing.n, s.writing.err
	s.writing = transfer{}
	if errno != 0 && errno != syscall.EAGAIN {
		return n, &net.OpError{Op: "write", Net: "tcp", Err: errno}
	}
	if err != nil && isTimeout(err) {
		err = nil
	}
	return n, err
}

// state looks at the peer without blocking. One goroutine may look at a time.
func (s *socket) state() peerState {
	if s.raw.Control(s.look) != nil {
		return peerClosed
	}
	return s.peer
}

// await blocks until there is something to read, or the peer has closed.
func (s *socket) await() error {
	s.waiting = false
	return s.raw.Read(s.tryPeekThenWait)
}

// awaitEnd blocks until the peer closes the connection, or its half of it, and
// reports whether it did; false when there is something to read instead, or the
// read deadline has passed.
func (s *socket) awaitEnd() bool {
	ended := false
	err := s.raw.Read(func(fd uintptr) bool {
		state := peek(fd)
		ended = state == peerClosed
		return state != peerIdle
	})
	return err == nil && ended
}

// awaitHalfClose blocks until the peer closes the connection, or its half of it, and
// reports whether it did; false once the read deadline has passed. It waits past
// bytes that were not read yet.
func (s *socket) awaitHalfClose() bool {
	return s.raw.Read(func(fd uintptr) bool { return isHalfClosed(fd) }) == nil
}

// awaitReset blocks until the connection is reset or otherwise broken, and reports
// whether it is; false once the read deadline has passed.
func (s *socket) awaitReset() bool {
	return s.raw.Read(func(fd uintptr) bool { return isReset(fd) }) == nil
}

func (s *socket) readOnce(fd uintptr) (done bool) {
	s.reading.n, s.reading.err = recvNow(fd, s.reading.rest, 0)
	return s.reading.err != syscall.EAGAIN
}

// writeThenWait is done at once if it can't write everything, and otherwise when
// it is called again. The poller was armed before the write, so a response
// however fast wakes it.
func (s *socket) writeThenWait(fd uintptr) (done bool) {
	if s.waiting {
		return true
	}
	s.waiting = true
	return !s.writeAll(fd) || s.writing.err != 0
}

// peekThenWait looks once. When it is called again, the poller has seen more.
func (s *socket) peekThenWait(fd uintptr) (done bool) {
	if s.waiting {
		return true
	}
	s.waiting = true
	return peek(fd) != peerIdle
}

func (s *socket) writeAll(fd uintptr) (done bool) {
	t := &s.writing
	for t.err = 0; t.err == 0 && len(t.rest) > 0; {
		var n int
		n, t.err = sendNow(fd, t.rest)
		t.n += n
		t.rest = t.rest[n:]
	}
	return t.err != syscall.EAGAIN
}

// peek looks at the first byte that is there to read, and leaves it there.
func peek(fd uintptr) peerState {
	var first [1]byte
	n, errno := recvNow(fd, first[:], syscall.MSG_PEEK)
	switch {
	case errno == syscall.EAGAIN:
		return peerIdle
	case errno != 0 || n == 0:
		return peerClosed
	}
	return peerReadable
}
