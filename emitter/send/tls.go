package send

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/sidehook/sidehook/rules/config"
)

// ClientTLS is how to speak TLS with a target or the app: 1.2 or later. It
// fails when a file cannot be used. The logger should name the other side. A
// client certificate that changes later is shown from the next handshake on.
func ClientTLS(files config.TLS, logger *slog.Logger) (*tls.Config, error) {
	cfg := &tls.Config{MinVersion: tls.VersionTLS12}
	if !files.Verify {
		cfg.InsecureSkipVerify = true
		logger.Warn("the certificate is not verified: anybody on the way can read the answers")
	}
	if err := trustCA(cfg, files.CA); err != nil {
		return nil, err
	}
	if files.Cert == "" {
		return cfg, nil
	}
	certificate, err := newCertificate(files, logger)
	if err != nil {
		return nil, err
	}
	cfg.GetClientCertificate = certificate.get
	return cfg, nil
}

// trustCA makes the certificates of a file the only ones trusted; without a
// file it leaves the system's.
func trustCA(cfg *tls.Config, file string) error {
	if file == "" {
		return nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("could not read tls.ca: %w", err)
	}
	cfg.RootCAs = x509.NewCertPool()
	if !cfg.RootCAs.AppendCertsFromPEM(pem) {
		return fmt.Errorf("could not read tls.ca: no PEM certificate in %s", file)
	}
	return nil
}

// certificate is a client certificate that is read again when its files
// change, since short-lived ones are renewed under a running process.
type certificate struct {
	files    config.TLS
	complain *complaints

	mu     sync.Mutex
	loaded *tls.Certificate
	// cert and key are the files that loaded was made of.
	cert, key os.FileInfo
}

func newCertificate(files config.TLS, logger *slog.Logger) (*certificate, error) {
	c := &certificate{files: files, complain: newComplaints(logger, time.Now)}
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
		c.complain.say("could not load the changed client certificate; the one from before stays in use", "error", err)
	}
	return c.loaded, nil
}

func (c *certificate) refresh() error {
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

// sameFile compares two looks at a file, which may be written in place or, as
// Kubernetes does, be replaced by another.
func sameFile(a, b os.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}
