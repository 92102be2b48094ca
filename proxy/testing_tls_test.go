package proxy

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"testing"
	"time"
)

// tlsTestConn is a testConn of an app that speaks TLS.
type tlsTestConn struct {
	*testConn
	conn *tls.Conn
	cork *cork
}

// cork can hold back writes, so that several records arrive at once.
type cork struct {
	net.Conn
	held  []byte
	holds bool
}

func (c *cork) Write(p []byte) (int, error) {
	if c.holds {
		c.held = append(c.held, p...)
		return len(p), nil
	}
	return c.Conn.Write(p)
}

// uncork writes what was held back.
func (c *cork) uncork() {
	c.holds = false
	c.SetWriteDeadline(time.Time{}) // or that of close_notify applies
	_, _ = c.Write(c.held)
	c.held = nil
}

// testCertificate is the certificate of an app, and a pool that trusts it.
type testCertificate struct {
	certificate tls.Certificate
	pool        *x509.CertPool
}

// startTLSProxy runs an app that speaks TLS, and a proxy that trusts it.
func startTLSProxy(t *testing.T, script func(w *tlsTestConn), change func(*Config)) (*Proxy, *scriptedApp) {
	own := localhostCertificate(t)
	app := startTLSApp(t, &tls.Config{Certificates: []tls.Certificate{own.certificate}}, script)
	return startProxy(t, app, func(c *Config) {
		c.App, c.AppTLS = httpsAddress(app), &tls.Config{RootCAs: own.pool}
		if change != nil {
			change(c)
		}
	}), app
}

// startTLSApp runs script on each connection after the handshake, and then closes it
// with close_notify.
func startTLSApp(t *testing.T, config *tls.Config, script func(w *tlsTestConn)) *scriptedApp {
	return startApp(t, func(w *testConn) {
		cork := &cork{Conn: w.TCPConn}
		conn := tls.Server(cork, config)
		if conn.Handshake() != nil {
			return
		}
		defer conn.Close()
		script(&tlsTestConn{&testConn{w.TCPConn, t, bufio.NewReader(conn)}, conn, cork})
	})
}

func httpsAddress(app *scriptedApp) string {
	_, port, _ := net.SplitHostPort(app.Addr().String())
	return "https://localhost:" + port
}

// newCertificate makes a certificate for name that expires at end.
func newCertificate(t *testing.T, name string, end time.Time) testCertificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{name},
		NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: end,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(certificate)
	return testCertificate{tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool}
}

// localhostCertificate is valid for the apps of these tests.
func localhostCertificate(t *testing.T) testCertificate {
	return newCertificate(t, "localhost", time.Now().Add(time.Hour))
}

func (w *tlsTestConn) send(text string) { _, _ = io.WriteString(w.conn, text) }
