package proxy

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
)

// errTLS says that TLS with the app is not possible as it is configured, which
// no waiting changes.
var errTLS = errors.New("cannot agree on TLS with the app")

// beneathTLS is the connection that TLS with the app runs over.
type beneathTLS struct {
	net.Conn
	raw syscall.RawConn
	// dontWait makes a read that would have to wait a timeout at once.
	dontWait bool
	// spoke is set when something was taken that nobody had asked for.
	spoke bool
}

// withHost returns how to speak TLS with the app on host: HTTP/1.1 only, and
// TLS 1.2 or later; nil is what config is by default.
func withHost(config *tls.Config, host string) *tls.Config {
	config = config.Clone()
	if config == nil {
		config = &tls.Config{}
	}
	config.MinVersion = max(config.MinVersion, tls.VersionTLS12)
	config.NextProtos = []string{"http/1.1"}
	config.ServerName = host
	config.ClientSessionCache = tls.NewLRUClientSessionCache(0)
	config.DynamicRecordSizingDisabled = true // small records are a system call each
	return config
}

// secure makes the connection one of TLS. Its error is an errTLS when trying
// again is of no use.
func (c *appConn) secure(ctx context.Context, config *tls.Config) error {
	beneath := &beneathTLS{Conn: c.Conn, raw: c.socket.RawConn}
	conn := tls.Client(beneath, config)
	if err := conn.HandshakeContext(ctx); err != nil {
		kind := errTLS
		var errno syscall.Errno
		brokeOff := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &errno)
		if brokeOff || ctx.Err() != nil { // as apps do that start or stop
			kind = errors.New("the app broke off the TLS handshake")
		}
		return fmt.Errorf("%w: %w", kind, err)
	}
	c.Conn, c.beneath = conn, beneath
	return nil
}

// isQuietTLS is isQuiet for TLS, where bytes need not be said to us: session
// tickets and new keys are taken in, and only a close or an answer that nobody
// asked for counts, also one that was read ahead.
func (c *appConn) isQuietTLS() bool {
	var one [1]byte
	c.beneath.dontWait = true
	n, err := c.Read(one[:])
	c.beneath.dontWait = false
	return n == 0 && isTimeout(err) && !c.beneath.spoke
}

// awaitEndTLS is awaitEnd for TLS.
func (c *appConn) awaitEndTLS() bool {
	var one [1]byte
	n, err := c.Read(one[:])
	c.beneath.spoke = n > 0
	return n == 0 && !isTimeout(err)
}

// Read reads what the app sent, for TLS.
func (b *beneathTLS) Read(p []byte) (n int, err error) {
	if !b.dontWait {
		return b.Conn.Read(p)
	}
	if errControl := b.raw.Control(func(fd uintptr) { n, err = readNow(fd, p) }); errControl != nil {
		return 0, errControl
	}
	return n, err
}

// readNow reads without waiting.
func readNow(fd uintptr, p []byte) (int, error) {
	n, errno := take(fd, p, 0)
	switch {
	case errno == syscall.EAGAIN:
		return 0, os.ErrDeadlineExceeded
	case errno != 0:
		return 0, errno
	case n == 0:
		return 0, io.EOF
	}
	return n, nil
}
