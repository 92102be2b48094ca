package send

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/sidehook/sidehook/rules/config"
)

// failure is one way in which an attempt can fail.
type failure struct {
	name   string
	answer responder                 // of a target on plain HTTP
	change func(*testing.T, *Sender) // what else is wrong
	want   Outcome
	reason string
	// noConnection is set if nothing of the delivery can have been sent.
	noConnection bool
}

// canary stands in everything that must not be count: the URL, the secret, the
// headers, the body and whatever the target respond.
const canary = "canary"

var failures = []failure{
	{name: "status", answer: respond("HTTP/1.1 503 canary\r\nX: canary\r\nContent-Length: 6\r\n\r\ncanary"), want: Retry, reason: "status 503"},
	{name: "missing", answer: respond("HTTP/1.1 404 canary\r\nContent-Length: 0\r\n\r\n"), want: Retry, reason: "status 404"},
	{name: "refusal of the body", answer: respond("HTTP/1.1 422 canary\r\nContent-Length: 0\r\n\r\n"), want: Rejected, reason: "status 422"},
	{name: "redirect", answer: respond("HTTP/1.1 302 canary\r\nLocation: http://canary/\r\nContent-Length: 0\r\n\r\n"), want: Retry, reason: "status 302"},
	{name: "nobody listens", change: func(_ *testing.T, s *Sender) { s.url.Host = "127.0.0.1:1" }, want: Retry, reason: "connection refused", noConnection: true},
	{name: "closed", answer: respondAndClose(""), want: Retry, reason: "connection closed"},
	{name: "reset", answer: respondAndReset(""), want: Retry, reason: "connection reset"},
	{name: "not HTTP", answer: respondAndClose("canary canary\r\n\r\n"), want: Retry, reason: "broken response"},
	{name: "bad header", answer: respondAndClose("HTTP/1.1 500 canary\r\ncanary canary\r\n\r\n"), want: Retry, reason: "broken response"},
	{name: "bad length", answer: respondAndClose("HTTP/1.1 500 canary\r\nContent-Length: canary\r\n\r\n"), want: Retry, reason: "broken response"},
	{name: "bad version", answer: respondAndClose("HTTP/9.9 canary\r\n\r\n"), want: Retry, reason: "broken response"},
	{name: "half a head", answer: respondAndClose("HTTP/1.1 500 canary\r\ncan"), want: Retry, reason: "broken response"},
	{name: "flood of headers", answer: respondForever("HTTP/1.1 500 canary\r\n", "X-Canary: canarycanarycanarycanary\r\n"), want: Retry, reason: "broken response"},
	{name: "long header", answer: respondAndHang("HTTP/1.1 500 canary\r\nContent-Length: 0\r\nX: " + strings.Repeat(canary, 20<<10) + "\r\n\r\n"), want: Retry, reason: "broken response"},
	{name: "header without end", answer: respondForever("HTTP/1.1 500 canary\r\nX: ", "canary"), want: Retry, reason: "broken response"},
	{name: "flood of interim responses", answer: respondForever("", "HTTP/1.1 103 canary\r\nLink: <canary>\r\n\r\n"), want: Retry, reason: "broken response"},
	{name: "silence", answer: respondAndHang(""), change: withShortTimeout, want: Retry, reason: "timeout waiting"},
	{name: "half a head, then silence", answer: respondAndHang("HTTP/1.1 500 canary\r\nX: can"), change: withShortTimeout, want: Retry, reason: "timeout receiving"},
	{name: "no way to connect", change: func(_ *testing.T, s *Sender) {
		withShortTimeout(nil, s)
		s.connections.current.DialContext = dialForever
	}, want: Retry, reason: "timeout connecting", noConnection: true},
	{name: "no such host", change: nameServerWithCode(3), want: Retry, reason: "dns: no such host", noConnection: true},
	{name: "name server fails", change: nameServerWithCode(2), want: Retry, reason: "dns: lookup failed", noConnection: true},
	{name: "address that is not allowed", change: allowNothing, want: Ours, reason: "refused to connect to a loopback address: if that is right, add loopback to allow"},
	{name: "no name server", change: withoutNameServer, want: Ours, reason: "resolver unreachable"},
}

func TestEveryFailureHasItsReasonAndLeaksNothing(t *testing.T) {
	for _, f := range failures {
		t.Run(f.name, func(t *testing.T) {
			server := newRawReceiver(t, f.answer)
			logger, logs := bufferedLogger()
			sender := newLoggingSender(t, canaryTarget(t, server.url), logger)
			if f.change != nil {
				f.change(t, sender)
			}
			result := send(sender)
			if result.Outcome != f.want || result.Reason != f.reason || result.NoConnection != f.noConnection {
				t.Errorf("result is %+v, want %q", result, f.reason)
			}
			result.Excerpt = nil // what the target said, for whom the deliveries API lets in
			shown := strings.ToLower(fmt.Sprintf("%+v %s", result, logs))
			for _, hidden := range []string{canary, "127.0.0.1", sender.url.Host} {
				if strings.Contains(shown, hidden) {
					t.Errorf("%q can be count in %s", hidden, shown)
				}
			}
		})
	}
}

func TestConfigurationErrorsShowNoSecrets(t *testing.T) {
	f := func(change func(*config.Target)) {
		t.Helper()
		target := canaryTarget(t, "https://127.0.0.1:1")
		change(&target)
		_, err := New(Options{Name: "crm", Target: target, Logger: slog.New(slog.DiscardHandler)})
		if err == nil {
			t.Fatal("there is no error")
		}
		if strings.Contains(err.Error(), canary) {
			t.Errorf("the error is %v", err)
		}
	}
	missing := filepath.Join(t.TempDir(), "missing.pem")
	f(func(target *config.Target) { target.TLS.CA = missing })
	f(func(target *config.Target) { target.TLS.Cert, target.TLS.Key = missing, missing })
}

// canaryTarget is a target whose every secret part is a canary.
func canaryTarget(t *testing.T, address string) config.Target {
	t.Helper()
	target := targetAt(t, strings.Replace(address, "//", "//canary:canary@", 1)+"/canary?token=canary")
	target.Secret = config.Secrets{config.NewSecret(canary)}
	target.Format = config.FormatDecsys
	target.Headers = headers("X-Token", canary)
	return target
}

func allowNothing(_ *testing.T, s *Sender) {
	s.connections.current.DialContext = newDialer(config.Target{}).DialContext
}

func withShortTimeout(_ *testing.T, s *Sender) { s.timeout = 100 * time.Millisecond }

func dialForever(ctx context.Context, _, _ string) (net.Conn, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// nameServerWithCode resolves by a name server whose answers have a response code (RFC 1035 section 4.1.1).
func nameServerWithCode(code byte) func(*testing.T, *Sender) {
	return func(t *testing.T, s *Sender) {
		t.Helper()
		server, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		var serving sync.WaitGroup
		t.Cleanup(func() { _ = server.Close(); serving.Wait() })
		serving.Go(func() { serveNames(server, code) })
		resolveWith(s, server.LocalAddr().String())
	}
}

func serveNames(server net.PacketConn, code byte) {
	message := make([]byte, 512)
	for {
		n, from, err := server.ReadFrom(message)
		if err != nil {
			return
		}
		message[2] |= 0x80 // a response
		message[3] = code
		message[10], message[11] = 0, 0 // without the additional section of the question
		_, _ = server.WriteTo(message[:min(questionEnd(message), n)], from)
	}
}

func withoutNameServer(t *testing.T, s *Sender) { resolveWith(s, closedPort(t)) }

// resolveWith makes s look names up at a name server on loopback.
func resolveWith(s *Sender, server string) {
	s.connections.current.DialContext = (&net.Dialer{Resolver: resolverOf(server)}).DialContext
	s.url.Host = "canary.sidehook.test:80"
}

func TestOwnFailuresAreNotBlamedOnTheTarget(t *testing.T) {
	f := func(err error, want string) {
		t.Helper()
		got := classifyError(context.Background(), err, connecting)
		if got.Outcome != Ours || got.Reason != want {
			t.Errorf("%v: outcome %d, %q, want %q", err, got.Outcome, got.Reason, want)
		}
	}
	dial := func(errno syscall.Errno) error {
		return &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("socket", errno)}
	}
	f(dial(syscall.EMFILE), "no file descriptors left")
	f(dial(syscall.ENFILE), "no file descriptors left")
	f(dial(syscall.ENOBUFS), "no memory left")
	f(&net.OpError{Op: "proxyconnect", Net: "tcp", Err: dial(syscall.ECONNREFUSED)}, "proxy unreachable")
	f(&net.DNSError{Err: "dial udp 127.0.0.53:53: socket: too many open files"}, "resolver unreachable")
}

func TestTheTextOfAnUnknownErrorIsNotShown(t *testing.T) {
	got := classifyError(context.Background(), errors.New("canary"), connecting)
	if got.Outcome != Retry || got.Reason != "network error" {
		t.Errorf("outcome %d, %q", got.Outcome, got.Reason)
	}
}
