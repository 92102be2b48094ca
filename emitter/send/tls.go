package send

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"

	"golang.org/x/time/rate"

	"github.com/sidehook/sidehook/rules/config"
)

// ClientTLS returns the TLS settings for connections to a target or the app:
// version 1.2 or later. It fails if a file cannot be used. The logger should name
// the peer. A client certificate that changes later is used from the next
// handshake on.
func ClientTLS(files config.TLS, logger *slog.Logger) (*tls.Config, error) {
	settings := &tls.Config{MinVersion: tls.VersionTLS12}
	if !files.Verify {
		settings.InsecureSkipVerify = true
		logger.Warn("the certificate is not verified: anybody on the path can read the answers")
	}
	if err := trustCA(settings, files.CA); err != nil {
		return nil, err
	}
	if files.Cert == "" {
		return settings, nil
	}
	certificate, err := newClientCertificate(files, logger)
	if err != nil {
		return nil, err
	}
	settings.GetClientCertificate = certificate.get
	return settings, nil
}

// trustCA makes the certificates of a file the only trusted ones; without a file
// the system's stay trusted.
func trustCA(settings *tls.Config, file string) error {
	if file == "" {
		return nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("cannot read tls.ca: %w", err)
	}
	if settings.RootCAs, err = config.ParseCA(pem); err != nil {
		return fmt.Errorf("cannot read tls.ca: %s %w", file, err)
	}
	return nil
}

// clientCertificate is read again when its files change: short-lived certificates
// are renewed while the process runs.
type clientCertificate struct {
	files      config.TLS
	logger     *slog.Logger
	warnReload rate.Sometimes

	mu     sync.Mutex
	loaded *tls.Certificate
	// cert and key describe the files that loaded was read from.
	cert, key os.FileInfo
}

func newClientCertificate(files config.TLS, logger *slog.Logger) (*clientCertificate, error) {
	c := &clientCertificate{files: files, logger: logger, warnReload: rate.Sometimes{Interval: logInterval}}
	if err := c.reload(); err != nil {
		return nil, fmt.Errorf("cannot load the client certificate of tls.cert and tls.key: %w", err)
	}
	return c, nil
}

// get implements tls.Config.GetClientCertificate. If a changed certificate cannot
// be read (half written, no permission), the previous one stays in use.
func (c *clientCertificate) get(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.reload(); err != nil {
		c.warnReload.Do(func() {
			c.logger.Warn("cannot reload the client certificate, keeping the previous one", "error", err)
		})
	}
	return c.loaded, nil
}

func (c *clientCertificate) reload() error {
	cert, err := os.Stat(c.files.Cert)
	if err != nil {
		return err
	}
	key, err := os.Stat(c.files.Key)
	if err != nil {
		return err
	}
	if c.loaded != nil && sameFile(cert, c.cert) && sameFile(key, c.key) {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(c.files.Cert, c.files.Key)
	if err != nil {
		return err
	}
	c.loaded, c.cert, c.key = &pair, cert, key
	return nil
}

// sameFile reports whether nothing changed between two looks at a file, which may
// be written in place or replaced by another (as Kubernetes does with secrets).
func sameFile(a, b os.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}
