package send

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sidehook/sidehook/rules/config"
)

func TestTheTargetsCertificateIsVerified(t *testing.T) {
	own := newAuthority(t)
	other := newAuthority(t)
	good := own.issue("localhost", time.Now().Add(time.Hour))
	f := func(name string, certificate tls.Certificate, ca string, outcome Outcome, reason string) {
		t.Helper()
		server := newTLSReceiver(t, &tls.Config{Certificates: []tls.Certificate{certificate}})
		target := targetAt(t, server.URL)
		target.TLS.CA = ca
		if got := send(newSender(t, target)); got.Outcome != outcome || got.Reason != reason {
			t.Errorf("%s: result is %+v, want %q", name, got, reason)
		}
	}
	f("trusted by tls.ca", good, own.file, Delivered, "")
	f("signed by another", good, other.file, Retry, "tls: certificate not trusted: the target sends no intermediate certificate, or its authority is unknown")
	f("not in the system's list", good, "", Retry, "tls: certificate not trusted: the target sends no intermediate certificate, or its authority is unknown")
	f("of another host", own.issue("other.test", time.Now().Add(time.Hour)), own.file, Retry, "tls: certificate of another host: other.test")
	past := time.Now().Add(-time.Hour)
	f("expired", own.issue("localhost", past), own.file, Retry, "tls: certificate expired on "+past.UTC().Format(time.RFC3339))
}

func TestTurningVerificationOffLogsAWarning(t *testing.T) {
	server := newTLSReceiver(t, &tls.Config{Certificates: []tls.Certificate{newAuthority(t).issue("other.test", time.Now())}})
	target := targetAt(t, server.URL)
	target.TLS.Verify = false
	logger, logs := bufferedLogger()
	if got := send(newLoggingSender(t, target, logger)); got.Outcome != Delivered {
		t.Errorf("result is %+v", got)
	}
	if !strings.Contains(logs.String(), "not verified") {
		t.Errorf("logged %s", logs)
	}
}

func TestOldTLSIsRefused(t *testing.T) {
	own := newAuthority(t)
	server := newTLSReceiver(t, &tls.Config{
		Certificates: []tls.Certificate{own.issue("localhost", time.Now().Add(time.Hour))},
		MinVersion:   tls.VersionTLS10, MaxVersion: tls.VersionTLS11,
	})
	target := targetAt(t, server.URL)
	target.TLS.CA = own.file
	if got := send(newSender(t, target)); got.Outcome != Retry || !strings.HasPrefix(got.Reason, "tls: ") {
		t.Errorf("result is %+v", got)
	}
}

func TestPlainHTTPOnAnHTTPSPortHasItsOwnReason(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	got := send(newSender(t, targetAt(t, strings.Replace(server.URL, "http:", "https:", 1))))
	if got.Outcome != Retry || got.Reason != "tls: target speaks plain HTTP" {
		t.Errorf("result is %+v", got)
	}
}

func TestAHandshakeThatHangsTimesOut(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") // where the kernel accepts, and nobody reads
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	target := targetAt(t, "https://"+listener.Addr().String())
	target.Timeout = config.Duration(100 * time.Millisecond)
	if got := send(newSender(t, target)); got.Outcome != Retry || got.Reason != "timeout in tls handshake" {
		t.Errorf("result is %+v", got)
	}
}

func TestAChangedClientCertificateIsReloaded(t *testing.T) {
	own := newAuthority(t)
	clients := x509.NewCertPool()
	clients.AddCert(own.cert)
	var shown string
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		shown = r.TLS.PeerCertificates[0].Subject.CommonName
	}))
	server.TLS = &tls.Config{
		Certificates: []tls.Certificate{own.issue("localhost", time.Now().Add(time.Hour))},
		ClientAuth:   tls.RequireAndVerifyClientCert, ClientCAs: clients,
	}
	server.Config.ErrorLog = discardedLog()
	server.StartTLS()
	defer server.Close()

	target := targetAt(t, server.URL)
	target.TLS.CA = own.file
	if got := send(newSender(t, target)); got.Outcome != Retry || got.Reason != "tls: refused by the target" {
		t.Errorf("without a certificate the result is %+v", got)
	}

	directory := t.TempDir()
	target.TLS.Cert, target.TLS.Key = filepath.Join(directory, "cert.pem"), filepath.Join(directory, "key.pem")
	saveCertificate(t, own.issue("first", time.Now().Add(time.Hour)), target.TLS.Cert, target.TLS.Key)
	logger, logs := bufferedLogger()
	sender := newLoggingSender(t, target, logger)
	f := func(want string) {
		t.Helper()
		sender.Close() // so that there is a handshake
		if got := send(sender); got.Outcome != Delivered || shown != want {
			t.Errorf("showed %q, want %q; the result is %+v", shown, want, got)
		}
	}
	f("first")
	saveCertificate(t, own.issue("the second", time.Now().Add(time.Hour)), target.TLS.Cert, target.TLS.Key)
	f("the second")
	if err := os.WriteFile(target.TLS.Cert, []byte("half wr"), 0o600); err != nil {
		t.Fatal(err)
	}
	f("the second")
	f("the second")
	if n := strings.Count(logs.String(), "keeping the previous one"); n != 1 {
		t.Errorf("logged %d times that a file is bad, want once a minute: %s", n, logs)
	}
	if err := os.Remove(target.TLS.Key); err != nil {
		t.Fatal(err)
	}
	f("the second")
	saveCertificate(t, own.issue("the third one", time.Now().Add(time.Hour)), target.TLS.Cert, target.TLS.Key)
	f("the third one")
}

func TestAChangedAuthorityIsReloaded(t *testing.T) {
	first, second := newAuthority(t), newAuthority(t)
	var serving atomic.Pointer[tls.Config]
	server := newTLSReceiver(t, &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
		return serving.Load(), nil
	}})
	serve := func(by *authority) {
		serving.Store(&tls.Config{Certificates: []tls.Certificate{by.issue("localhost", time.Now().Add(time.Hour))}})
	}
	target := targetAt(t, server.URL)
	target.TLS.CA = filepath.Join(t.TempDir(), "ca.pem")
	trust := func(content []byte) {
		t.Helper()
		// As Kubernetes does it: another file takes the place of the old one.
		if err := errors.Join(os.WriteFile(target.TLS.CA+".new", content, 0o600), os.Rename(target.TLS.CA+".new", target.TLS.CA)); err != nil {
			t.Fatal(err)
		}
	}
	trust(first.pem(t))
	sender := newSender(t, target)
	f := func(outcome Outcome, reason string) {
		t.Helper()
		if got := send(sender); got.Outcome != outcome || got.Reason != reason {
			t.Errorf("result is %+v, want %s %q", got, outcome, reason)
		}
	}
	serve(first)
	f(Delivered, "")
	serve(second)
	f(Delivered, "") // on the connection from before
	trust(second.pem(t))
	f(Delivered, "") // on a new one: those that the old authority vouched for are not used again
	trust([]byte("no certificate"))
	sender.Close()
	f(Delivered, "")
	trust(first.pem(t))
	f(Retry, "tls: certificate not trusted: the target sends no intermediate certificate, or its authority is unknown")
}

func newTLSReceiver(t *testing.T, settings *tls.Config) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.TLS = settings
	server.Config.ErrorLog = discardedLog()
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}
