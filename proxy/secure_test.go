package proxy

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"math/big"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// secureWire is a wire of an app that speaks TLS.
type secureWire struct {
	*wire
	conn *tls.Conn
	cork *cork
}

// cork holds back what is written, if it shall, so that it arrives at once.
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

// pull writes what was held back.
func (c *cork) pull() {
	c.holds = false
	c.SetWriteDeadline(time.Time{}) // which close_notify has set
	_, _ = c.Write(c.held)
	c.held = nil
}

func (w *secureWire) send(text string) { _, _ = io.WriteString(w.conn, text) }

// lines takes what is logged, by any goroutine.
type lines chan string

func (l lines) Write(p []byte) (int, error) {
	l <- string(p)
	return len(p), nil
}

// identity is what an app shows of itself, and who trusts it.
type identity struct {
	certificate tls.Certificate
	pool        *x509.CertPool
}

// newIdentity makes a certificate for name that is good until end.
func newIdentity(t *testing.T, name string, end time.Time) identity {
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
	return identity{tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool}
}

// localhost is good for the apps of these tests.
func localhost(t *testing.T) identity { return newIdentity(t, "localhost", time.Now().Add(time.Hour)) }

// startSecureApp runs script on each connection once the handshake is done,
// and then closes it as TLS is closed.
func startSecureApp(t *testing.T, config *tls.Config, script func(w *secureWire)) *scriptedApp {
	return startApp(t, func(w *wire) {
		cork := &cork{Conn: w.TCPConn}
		conn := tls.Server(cork, config)
		if conn.Handshake() != nil {
			return
		}
		defer conn.Close()
		script(&secureWire{&wire{w.TCPConn, t, bufio.NewReader(conn)}, conn, cork})
	})
}

// startSecurely runs an app that speaks TLS, and a proxy that trusts it.
func startSecurely(t *testing.T, script func(w *secureWire), change func(*Config)) (*Proxy, *scriptedApp) {
	own := localhost(t)
	app := startSecureApp(t, &tls.Config{Certificates: []tls.Certificate{own.certificate}}, script)
	return startProxy(t, app, func(c *Config) {
		c.App, c.AppTLS = secureAddress(app), &tls.Config{RootCAs: own.pool}
		if change != nil {
			change(c)
		}
	}), app
}

func secureAddress(app *scriptedApp) string {
	_, port, _ := net.SplitHostPort(app.Addr().String())
	return "https://localhost:" + port
}

func TestAnAppThatSpeaksTLSIsServedOverOneConnection(t *testing.T) {
	own := localhost(t)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			states := make(chan tls.ConnectionState, 1)
			app := startSecureApp(t, &tls.Config{
				Certificates: []tls.Certificate{own.certificate}, NextProtos: []string{"h2", "http/1.1"}, MaxVersion: version,
			}, func(w *secureWire) {
				states <- w.conn.ConnectionState()
				for w.head() != "" {
					w.send(ok)
				}
			})
			p := startProxy(t, app, func(c *Config) { c.App, c.AppTLS = secureAddress(app), &tls.Config{RootCAs: own.pool} })
			client := dial(t, p)
			for range 5 {
				client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
				equal(t, "answer", client.take(len(ok)), ok)
			}
			state := receive(t, "handshake", states)
			equal(t, "protocol", state.NegotiatedProtocol, "http/1.1")
			equal(t, "server name", state.ServerName, "localhost")
			equal(t, "connections", app.conns.Load(), 1)
		})
	}
}

func TestAnAppThatIsNotWhoItShouldBeGetsNothing(t *testing.T) {
	own, hour := localhost(t), time.Now().Add(time.Hour)
	f := func(name string, shows identity, trusts *tls.Config, change func(*tls.Config), reason string) {
		t.Run(name, func(t *testing.T) {
			config := &tls.Config{Certificates: []tls.Certificate{shows.certificate}}
			if change != nil {
				change(config)
			}
			app := startSecureApp(t, config, func(w *secureWire) {
				if got := w.head(); got != "" {
					t.Errorf("the app got %q", got)
				}
			})
			refused(t, app, trusts, reason)
		})
	}
	f("signed by somebody else", own, &tls.Config{RootCAs: localhost(t).pool}, nil, "certificate")
	f("not of the system's authorities", own, nil, nil, "certificate")
	other := newIdentity(t, "other.test", hour)
	f("of another host", other, &tls.Config{RootCAs: other.pool}, nil, "other.test")
	f("of the name that somebody asked for", other, &tls.Config{RootCAs: other.pool, ServerName: "other.test"}, nil, "other.test")
	expired := newIdentity(t, "localhost", time.Now().Add(-time.Hour))
	f("expired", expired, &tls.Config{RootCAs: expired.pool}, nil, "expired")
	f("of old TLS", own, &tls.Config{RootCAs: own.pool, MinVersion: tls.VersionTLS10},
		func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }, "protocol version")
	f("without HTTP/1.1", own, &tls.Config{RootCAs: own.pool, NextProtos: []string{"h2"}},
		func(c *tls.Config) { c.NextProtos = []string{"other"} }, "no application protocol")
	t.Run("plain HTTP", func(t *testing.T) {
		refused(t, startApp(t, func(w *wire) {
			w.take(1)
			w.send("HTTP/1.1 400 Bad Request\r\n\r\n")
		}), nil, "first record does not look like a TLS handshake")
	})
}

// refused fails unless app gets no request: it is answered 503 after one
// attempt, and the log has the reason and nothing of the request.
func refused(t *testing.T, app *scriptedApp, trusts *tls.Config, reason string) {
	t.Helper()
	logs := make(lines, 10)
	p := startProxy(t, app, func(c *Config) {
		c.App, c.AppTLS, c.DialWindow = secureAddress(app), trusts, patience
		c.Logger = slog.New(slog.NewTextHandler(logs, nil))
	})
	client := dial(t, p)
	client.send("POST /secret HTTP/1.1\r\nHost: secret\r\nContent-Length: 6\r\n\r\nsecret")
	got, _ := client.rest()
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

func TestVerificationOfTheAppCanBeTurnedOff(t *testing.T) {
	app := startSecureApp(t, &tls.Config{Certificates: []tls.Certificate{newIdentity(t, "other.test", time.Now()).certificate}},
		func(w *secureWire) { w.head(); w.send(ok) })
	p := startProxy(t, app, func(c *Config) { c.App, c.AppTLS = secureAddress(app), &tls.Config{InsecureSkipVerify: true} })
	client := dial(t, p)
	client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	equal(t, "answer", client.take(len(ok)), ok)
	if err := p.Ready(t.Context()); err != nil {
		t.Errorf("not ready: %v", err)
	}
}

func TestAHandshakeThatBreaksOffIsTriedAgain(t *testing.T) {
	own := localhost(t)
	var conns atomic.Int64
	app := startApp(t, func(w *wire) {
		if conns.Add(1) <= 2 {
			w.take(100)
			return // as an app that is starting, or stopping, may do
		}
		conn := tls.Server(w.TCPConn, &tls.Config{Certificates: []tls.Certificate{own.certificate}})
		defer conn.Close()
		conn.Read(make([]byte, 100))
		io.WriteString(conn, ok)
	})
	client := dial(t, startProxy(t, app, func(c *Config) {
		c.App, c.AppTLS, c.DialWindow = secureAddress(app), &tls.Config{RootCAs: own.pool}, patience
	}))
	client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx")
	equal(t, "answer", client.take(len(ok)), ok)
}

func TestAHandshakeThatHangsEndsWithTheWindow(t *testing.T) {
	app := startApp(t, func(w *wire) { w.rest() })
	p := startProxy(t, app, func(c *Config) { c.App, c.DialWindow = secureAddress(app), 50*time.Millisecond })
	client := dial(t, p)
	client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	if head := client.head(); !strings.HasPrefix(head, "HTTP/1.1 503 ") {
		t.Errorf("got %q, want 503", head)
	}
}

func TestASessionTicketDoesNotSpoilAKeptConnection(t *testing.T) {
	own, shaken := localhost(t), make(chan bool, 1)
	app := startSecureApp(t, &tls.Config{Certificates: []tls.Certificate{own.certificate}}, func(w *secureWire) {
		shaken <- true
		w.head()
		w.send("late")
		w.rest()
	})
	to, err := parseApp(secureAddress(app), &tls.Config{RootCAs: own.pool})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	conn, err := to.dial(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	receive(t, "handshake", shaken)
	unread := func() bool { return conn.transport.(*tlsConn).beneath.state() == peerReadable }
	eventually(t, "the tickets are there, unread", unread)
	for range 2 {
		if !conn.isIdle() {
			t.Fatal("a ticket is taken for an answer")
		}
	}
	equal(t, "tickets unread", unread(), false)
	conn.send([]byte("GET / HTTP/1.1\r\n\r\n"))
	eventually(t, "an answer is there", unread)
	equal(t, "quiet after an answer", conn.isIdle(), false)
}

func TestAConnectionOfTLSThatWasClosedIdleIsNotUsed(t *testing.T) {
	f := func(name string, end func(w *secureWire)) {
		t.Run(name, func(t *testing.T) {
			closed := make(chan bool, 1)
			p, _ := startSecurely(t, func(w *secureWire) {
				w.head()
				equal(t, "body", w.take(1), "x")
				end(w)
				closed <- true
			}, nil)
			client := dial(t, p)
			for range 100 {
				client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx")
				if got := client.take(len(ok)); got != ok {
					t.Fatalf("got %q, want %q", got, ok)
				}
				receive(t, "close", closed)
			}
			equal(t, "broken answers", p.Stats().AppBroken, 0)
		})
	}
	f("with close_notify", func(w *secureWire) { w.send(ok); w.conn.Close() })
	f("with close_notify alone", func(w *secureWire) { w.send(ok); w.conn.CloseWrite() })
	f("with close_notify beside the answer", func(w *secureWire) {
		w.cork.holds = true
		w.send(ok)
		w.conn.CloseWrite()
		w.cork.pull()
	})
	f("without close_notify", func(w *secureWire) { w.send(ok); w.Close() })
}

func TestWhatTheAppSaysUnaskedOverTLSReachesNobody(t *testing.T) {
	const poison = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"
	f := func(name string, say func(w *secureWire)) {
		t.Run(name, func(t *testing.T) {
			said := make(chan bool, 1)
			p, _ := startSecurely(t, func(w *secureWire) {
				for w.head() != "" {
					say(w)
					said <- true
				}
			}, nil)
			client := dial(t, p)
			for range 20 {
				client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
				equal(t, "answer", client.take(len(ok)), ok)
				receive(t, "poison", said)
			}
			client.isEmpty()
		})
	}
	f("later", func(w *secureWire) { w.send(ok); w.send(poison) })
	f("in the same record", func(w *secureWire) { w.send(ok + poison) })
	f("in a record that was read ahead", func(w *secureWire) {
		w.cork.holds = true
		w.send(ok)
		w.send(poison)
		w.cork.pull()
	})
}

func TestARequestIsSentOnceOverTLS(t *testing.T) {
	f := func(method, wantStatus string, wantSeen int64) {
		t.Run(method, func(t *testing.T) {
			var seen atomic.Int64
			p, _ := startSecurely(t, func(w *secureWire) {
				for w.head() != "" {
					if seen.Add(1) == 2 { // and then close, as if it had crashed
						return
					}
					w.send(ok)
				}
			}, nil)
			client := dial(t, p)
			request := method + " / HTTP/1.1\r\nHost: h\r\n\r\n"
			client.send(request)
			equal(t, "first", client.take(len(ok)), ok)
			client.send(request)
			if head := client.head(); !strings.HasPrefix(head, "HTTP/1.1 "+wantStatus) {
				t.Errorf("got %q, want %s", head, wantStatus)
			}
			equal(t, "seen by the app", seen.Load(), wantSeen)
		})
	}
	f("POST", "502", 2)
	f("PUT", "502", 2)
	f("GET", "200", 3)
}

func TestLongBodiesPassOverTLSBothWays(t *testing.T) {
	body := pattern(5 << 20)
	f := func(name, request, answer, end string) {
		t.Run(name, func(t *testing.T) {
			p, app := startSecurely(t, func(w *secureWire) {
				for head := w.head(); head != ""; head = w.head() {
					got := ""
					if strings.Contains(head, "chunked") {
						got = unchunk(t, w.in)
					} else {
						got = w.take(len(body))
					}
					if got != body {
						t.Errorf("the app got another body, %d bytes", len(got))
					}
					w.send(answer)
				}
			}, nil)
			for range 2 {
				client := dial(t, p)
				go client.send(request)
				client.head()
				got := ""
				if end == "" {
					got = client.take(len(body))
				} else {
					got = unchunk(t, client.in)
				}
				if got != body {
					t.Errorf("got another body, %d bytes", len(got))
				}
			}
			equal(t, "connections", app.conns.Load(), 1)
		})
	}
	chunked := "500000\r\n" + body + "\r\n0\r\n\r\n"
	f("with a length", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5242880\r\n\r\n"+body,
		"HTTP/1.1 200 OK\r\nContent-Length: 5242880\r\n\r\n"+body, "")
	f("in chunks", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"+chunked,
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"+chunked, "0")
}

func TestAnAnswerUpToTheEndOfTLSIsWhole(t *testing.T) {
	p, _ := startSecurely(t, func(w *secureWire) {
		w.head()
		w.send("HTTP/1.1 200 OK\r\n\r\nup to the end")
	}, nil)
	client := dial(t, p)
	client.send("GET / HTTP/1.0\r\nHost: h\r\n\r\n")
	client.head()
	got, err := client.rest()
	equal(t, "body", got, "up to the end")
	equal(t, "error", err, nil)
}

func TestAParticipantWhoLeavesIsGoneForAnAppOverTLS(t *testing.T) {
	asked, ended := make(chan bool, 1), make(chan error, 1)
	p, _ := startSecurely(t, func(w *secureWire) {
		w.head()
		asked <- true
		_, err := w.rest() // up to the end, which is one of TLS
		ended <- err
	}, nil)
	client := dial(t, p)
	client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	receive(t, "request", asked)
	client.Close()
	equal(t, "error", receive(t, "end", ended), nil)
}

func TestAnAppThatClosesDuringAnUploadOverTLSIsSeenToClose(t *testing.T) {
	heard := make(chan bool)
	p, _ := startSecurely(t, func(w *secureWire) {
		w.head()
		w.send("HTTP/1.1 413 Too Large\r\nContent-Length: 4\r\n\r\nstop")
		<-heard // so that the answer has nothing beside it
	}, nil)
	client := dial(t, p)
	client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\nab")
	if head := client.head(); !strings.HasPrefix(head, "HTTP/1.1 413 ") {
		t.Errorf("got %q, want 413", head)
	}
	equal(t, "body", client.take(4), "stop")
	close(heard)
	client.ended() // though the upload goes on
}

func TestWhatTheAppSaysUnaskedDuringAnUploadOverTLSEndsTheConnection(t *testing.T) {
	said := make(chan bool, 1)
	p, app := startSecurely(t, func(w *secureWire) {
		for w.head() != "" {
			w.send(ok)
			w.send("x")
			said <- true
			equal(t, "body", w.take(4), "abcd")
		}
	}, nil)
	client := dial(t, p)
	for range 3 {
		client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nab")
		equal(t, "answer", client.take(len(ok)), ok)
		receive(t, "word", said)
		client.send("cd")
	}
	equal(t, "connections", app.conns.Load(), 3)
}

func TestAfterAnEarlyAnswerAConnectionOfTLSGoesOn(t *testing.T) {
	p, app := startSecurely(t, func(w *secureWire) {
		for w.head() != "" {
			w.send(ok)
			equal(t, "body", w.take(4), "abcd")
		}
	}, nil)
	client := dial(t, p)
	for range 3 {
		client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nab")
		equal(t, "answer", client.take(len(ok)), ok)
		client.send("cd")
	}
	client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nabcd")
	equal(t, "answer", client.take(len(ok)), ok)
	equal(t, "connections", app.conns.Load(), 1)
}

func TestATunnelOverTLSPassesEveryByteBothWays(t *testing.T) {
	p, _ := startSecurely(t, func(w *secureWire) {
		equal(t, "request", w.head(), upgradeRequest)
		w.cork.holds = true // so that all of it is read ahead
		w.send(upgradeAnswer)
		for range 20 {
			w.send("glued ")
		}
		w.cork.pull()
		equal(t, "early bytes", w.take(5), "early")
		io.Copy(w.conn, w.in) // echo
	}, nil)
	client := dial(t, p)
	client.send(upgradeRequest + "early")
	equal(t, "answer", client.head(), upgradeAnswer)
	equal(t, "glued bytes", client.take(120), strings.Repeat("glued ", 20))

	frame := pattern(1 << 20)
	go func() {
		for range 4 {
			client.send(frame)
		}
		client.CloseWrite()
	}()
	for range 4 {
		if client.take(len(frame)) != frame {
			t.Fatal("the echo differs")
		}
	}
	client.ended()
}

func TestATunnelOverTLSPassesHalfCloses(t *testing.T) {
	t.Run("of the participant", func(t *testing.T) {
		p, _ := startSecurely(t, func(w *secureWire) {
			w.head()
			w.send(upgradeAnswer)
			got, _ := w.rest()
			w.send("after " + got)
		}, nil)
		client := dial(t, p)
		client.send(upgradeRequest)
		client.head()
		client.send("bye")
		client.CloseWrite()
		got, _ := client.rest()
		equal(t, "answer", got, "after bye")
	})
	t.Run("of the app", func(t *testing.T) {
		heard := make(chan string, 1)
		p, _ := startSecurely(t, func(w *secureWire) {
			w.head()
			w.send(upgradeAnswer + "bye")
			w.conn.CloseWrite()
			got, _ := w.rest()
			heard <- got
		}, nil)
		client := dial(t, p)
		client.send(upgradeRequest)
		client.head()
		got, _ := client.rest()
		equal(t, "answer", got, "bye")
		client.send("after")
		client.CloseWrite()
		equal(t, "request", receive(t, "bytes", heard), "after")
	})
}

// unchunk reads a chunked body.
func unchunk(t *testing.T, r *bufio.Reader) string {
	t.Helper()
	var whole strings.Builder
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			t.Errorf("the chunks break off: %v", err)
			return ""
		}
		size := parseChunkSize(bytes.TrimRight(line, "\r\n"))
		if _, err := io.CopyN(&whole, r, int64(size)); err != nil {
			t.Errorf("a chunk breaks off: %v", err)
			return ""
		}
		r.ReadSlice('\n')
		if size == 0 {
			return whole.String()
		}
	}
}
