package proxy

import (
	"crypto/tls"
	"io"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// logLines is the writer of a logger, for any number of goroutines.
type logLines chan string

func (l logLines) Write(p []byte) (int, error) {
	l <- string(p)
	return len(p), nil
}

func TestUnverifiedAppGetsNothing(t *testing.T) {
	own, hour := localhostCertificate(t), time.Now().Add(time.Hour)
	f := func(name string, shows testCertificate, trusts *tls.Config, change func(*tls.Config), reason string) {
		t.Run(name, func(t *testing.T) {
			config := &tls.Config{Certificates: []tls.Certificate{shows.certificate}}
			if change != nil {
				change(config)
			}
			app := startTLSApp(t, config, func(w *tlsTestConn) {
				if got := w.readHead(); got != "" {
					t.Errorf("the app got %q", got)
				}
			})
			expectRefusal(t, app, trusts, reason)
		})
	}
	f("signed by somebody else", own, &tls.Config{RootCAs: localhostCertificate(t).pool}, nil, "certificate")
	f("unknown to the system's authorities", own, nil, nil, "certificate")
	other := newCertificate(t, "other.test", hour)
	f("of another host", other, &tls.Config{RootCAs: other.pool}, nil, "other.test")
	f("of the name in the configuration", other, &tls.Config{RootCAs: other.pool, ServerName: "other.test"}, nil, "other.test")
	expired := newCertificate(t, "localhost", time.Now().Add(-time.Hour))
	f("expired", expired, &tls.Config{RootCAs: expired.pool}, nil, "expired")
	f("of old TLS", own, &tls.Config{RootCAs: own.pool, MinVersion: tls.VersionTLS10},
		func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }, "protocol version")
	f("without HTTP/1.1", own, &tls.Config{RootCAs: own.pool, NextProtos: []string{"h2"}},
		func(c *tls.Config) { c.NextProtos = []string{"other"} }, "no application protocol")
	t.Run("plain HTTP", func(t *testing.T) {
		expectRefusal(t, startApp(t, func(w *testConn) {
			w.readN(1)
			w.send("HTTP/1.1 400 Bad Request\r\n\r\n")
		}), nil, "first record does not look like a TLS handshake")
	})
}

// expectRefusal sends a request, and fails unless the response is 503 after one attempt
// to connect, and the log has the reason but nothing of the request.
func expectRefusal(t *testing.T, app *scriptedApp, trusts *tls.Config, reason string) {
	t.Helper()
	logs := make(logLines, 10)
	p := startProxy(t, app, func(c *Config) {
		c.App, c.AppTLS, c.DialWindow = httpsAddress(app), trusts, testTimeout
		c.Logger = slog.New(slog.NewTextHandler(logs, nil))
	})
	client := dial(t, p)
	client.send("POST /secret HTTP/1.1\r\nHost: secret\r\nContent-Length: 6\r\n\r\nsecret")
	got, _ := client.readAll()
	if !strings.HasPrefix(got, "HTTP/1.1 503 ") || !strings.Contains(got, "\r\nRetry-After: 5\r\n") {
		t.Errorf("got %q, want 503 with Retry-After", got)
	}
	equal(t, "attempts", app.conns.Load(), 1)
	if text := receive(t, "line in the log", logs); !strings.Contains(text, reason) || strings.Contains(text, "secret") {
		t.Errorf("want the reason %q, and nothing secret, in the log: %s", reason, text)
	}
	if err := p.Ready(t.Context()); err == nil || !strings.Contains(err.Error(), reason) {
		t.Errorf("ready: %v", err)
	}
}

func TestVerificationOfTheAppCanBeDisabled(t *testing.T) {
	app := startTLSApp(t, &tls.Config{Certificates: []tls.Certificate{newCertificate(t, "other.test", time.Now()).certificate}},
		func(w *tlsTestConn) { w.readHead(); w.send(okResponse) })
	p := startProxy(t, app, func(c *Config) { c.App, c.AppTLS = httpsAddress(app), &tls.Config{InsecureSkipVerify: true} })
	client := dial(t, p)
	client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	equal(t, "response", client.readN(len(okResponse)), okResponse)
	if err := p.Ready(t.Context()); err != nil {
		t.Errorf("not ready: %v", err)
	}
}

func TestBrokenHandshakeIsRetried(t *testing.T) {
	own := localhostCertificate(t)
	var conns atomic.Int64
	app := startApp(t, func(w *testConn) {
		if conns.Add(1) <= 2 {
			w.readN(100)
			return // as an app may that is starting or stopping
		}
		conn := tls.Server(w.TCPConn, &tls.Config{Certificates: []tls.Certificate{own.certificate}})
		defer conn.Close()
		conn.Read(make([]byte, 100))
		io.WriteString(conn, okResponse)
	})
	client := dial(t, startProxy(t, app, func(c *Config) {
		c.App, c.AppTLS, c.DialWindow = httpsAddress(app), &tls.Config{RootCAs: own.pool}, testTimeout
	}))
	client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx")
	equal(t, "response", client.readN(len(okResponse)), okResponse)
}

func TestHangingHandshakeEndsWithTheDialWindow(t *testing.T) {
	app := startApp(t, func(w *testConn) { w.readAll() })
	p := startProxy(t, app, func(c *Config) { c.App, c.DialWindow = httpsAddress(app), 50*time.Millisecond })
	client := dial(t, p)
	client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	if head := client.readHead(); !strings.HasPrefix(head, "HTTP/1.1 503 ") {
		t.Errorf("got %q, want 503", head)
	}
}
