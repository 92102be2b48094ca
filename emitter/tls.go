package emitter

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/sidehook/sidehook/rules"
)

const (
	connectTimeout   = 3 * time.Second
	handshakeTimeout = 5 * time.Second
	idleTimeout      = 90 * time.Second
	// pingAfter and pingTimeout find out an HTTP/2 connection that is silently
	// dead, which otherwise each new request would be sent into.
	pingAfter   = 15 * time.Second
	pingTimeout = 5 * time.Second
	// maxResponseHeader bounds what a target's header can take of our memory, interim responses included.
	maxResponseHeader = 64 << 10
)

// newTransport makes the connections of one target, which share nothing with
// those of another. Connections to it are bounded by who calls it.
func newTransport(o SenderOptions) (*http.Transport, error) {
	config, err := ClientTLS(o.Target.TLS, o.Logger.With("target", o.Name))
	if err != nil {
		return nil, err
	}
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: connectTimeout}).DialContext,
		TLSClientConfig:        config,
		TLSHandshakeTimeout:    handshakeTimeout,
		ForceAttemptHTTP2:      true,
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingTimeout},
		MaxIdleConns:           max(o.Target.Concurrency, 1),
		MaxIdleConnsPerHost:    max(o.Target.Concurrency, 1),
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: maxResponseHeader,
		// What asks for no compression gets no bomb.
		DisableCompression: true,
	}, nil
}

// ClientTLS is how to speak TLS with a target or the app: 1.2 or later. It
// fails when a file cannot be used. The logger should name the other side.
func ClientTLS(files rules.TLS, logger *slog.Logger) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if !files.Verify {
		config.InsecureSkipVerify = true
		logger.Warn("the certificate is not verified: anybody on the way can read the answers")
	}
	if err := trustCA(config, files.CA); err != nil {
		return nil, err
	}
	if files.Cert == "" {
		return config, nil
	}
	certificate, err := newCertificate(files, logger)
	if err != nil {
		return nil, err
	}
	config.GetClientCertificate = certificate.get
	return config, nil
}

// trustCA makes the certificates of a file the only ones trusted; without a
// file it leaves the system's.
func trustCA(config *tls.Config, file string) error {
	if file == "" {
		return nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("could not read tls.ca: %w", err)
	}
	config.RootCAs = x509.NewCertPool()
	if !config.RootCAs.AppendCertsFromPEM(pem) {
		return fmt.Errorf("could not read tls.ca: no PEM certificate in %s", file)
	}
	return nil
}

// certificate is a client certificate that is read again when its files
// change, since short-lived ones are renewed under a running process.
type certificate struct {
	files  rules.TLS
	logger *slog.Logger

	mu     sync.Mutex
	loaded *tls.Certificate
	stamp  [2]fileStamp
}

// fileStamp tells two states of a file apart.
type fileStamp struct {
	modified time.Time
	size     int64
}

func newCertificate(files rules.TLS, logger *slog.Logger) (*certificate, error) {
	c := &certificate{files: files, logger: logger}
	if err := c.refresh(); err != nil {
		return nil, fmt.Errorf("could not load the client certificate of tls.cert and tls.key: %w", err)
	}
	return c, nil
}

// get is for tls.Config. A renewal that cannot be read (half written, no right
// to) leaves the certificate from before in use.
func (c *certificate) get(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.refresh(); err != nil {
		c.logger.Warn("could not load the changed client certificate; the one from before stays in use", "error", err)
	}
	return c.loaded, nil
}

func (c *certificate) refresh() error {
	certStamp, certErr := stampOf(c.files.Cert)
	keyStamp, keyErr := stampOf(c.files.Key)
	if err := errors.Join(certErr, keyErr); err != nil {
		return err
	}
	stamp := [2]fileStamp{certStamp, keyStamp}
	if c.loaded != nil && stamp == c.stamp {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(c.files.Cert, c.files.Key)
	if err != nil {
		return err
	}
	c.loaded, c.stamp = &pair, stamp
	return nil
}

func stampOf(file string) (fileStamp, error) {
	info, err := os.Stat(file)
	if err != nil {
		return fileStamp{}, err
	}
	return fileStamp{modified: info.ModTime(), size: info.Size()}, nil
}
