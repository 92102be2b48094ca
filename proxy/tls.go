package proxy

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
)

var (
	// errTLS means that TLS with the app fails as configured; retrying is of no use.
	errTLS = errors.New("cannot agree on TLS with the app")
	// errHandshakeBroken means that the app closed during the handshake, as apps
	// do that are starting or stopping.
	errHandshakeBroken = errors.New("the app broke off the TLS handshake")
)

// tlsConn is the transport of HTTPS.
type tlsConn struct {
	*tls.Conn
	beneath *beneathTLS
	// unasked is set once awaitEnd has consumed data of the app.
	unasked bool
}

// beneathTLS is the plain connection that TLS runs over.
type beneathTLS struct {
	*plainConn
	// nonBlocking makes a read that would block time out at once.
	nonBlocking bool
}

// newTLSConn performs the handshake. Its error is errTLS if retrying is of no use.
func newTLSConn(ctx context.Context, conn *plainConn, config *tls.Config) (*tlsConn, error) {
	beneath := &beneathTLS{plainConn: conn}
	c := &tlsConn{Conn: tls.Client(beneath, config), beneath: beneath}
	err := c.HandshakeContext(ctx)
	if err == nil {
		return c, nil
	}
	var errno syscall.Errno
	isBroken := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &errno)
	if isBroken || ctx.Err() != nil {
		return nil, fmt.Errorf("%w: %w", errHandshakeBroken, err)
	}
	return nil, fmt.Errorf("%w: %w", errTLS, err)
}

// withHost returns a copy of config, which may be nil, for an app on host:
// HTTP/1.1 only, TLS 1.2 or later.
func withHost(config *tls.Config, host string) *tls.Config {
	config = config.Clone()
	if config == nil {
		config = &tls.Config{}
	}
	config.MinVersion = max(config.MinVersion, tls.VersionTLS12)
	config.NextProtos = []string{"http/1.1"}
	config.ServerName = host
	config.ClientSessionCache = tls.NewLRUClientSessionCache(0)
	config.DynamicRecordSizingDisabled = true // each small record costs a system call
	return config
}

// isIdle processes session tickets and key updates, which are no data. Whatever
// else comes, or was read ahead, or has ended the stream, makes it false.
func (c *tlsConn) isIdle() bool {
	var first [1]byte
	c.beneath.nonBlocking = true
	n, err := c.Read(first[:])
	c.beneath.nonBlocking = false
	return n == 0 && isTimeout(err) && !c.unasked
}

func (c *tlsConn) awaitEnd() bool {
	var first [1]byte
	n, err := c.Read(first[:])
	c.unasked = n > 0
	return n == 0 && !isTimeout(err)
}

// await returns at once: data may have been read ahead, where no socket shows it.
func (c *tlsConn) await() error { return nil }

// writeAndAwait does not wait, for the same reason.
func (c *tlsConn) writeAndAwait(p []byte) (int, error) { return c.Write(p) }

// Read implements io.Reader, for package tls.
func (b *beneathTLS) Read(p []byte) (n int, err error) {
	if !b.nonBlocking {
		return b.plainConn.Read(p)
	}
	if errControl := b.raw.Control(func(fd uintptr) { n, err = readNow(fd, p) }); errControl != nil {
		return 0, errControl
	}
	return n, err
}

// readNow reads without blocking; os.ErrDeadlineExceeded where it would block.
func readNow(fd uintptr, p []byte) (int, error) {
	n, errno := recvNow(fd, p, 0)
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
