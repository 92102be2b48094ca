package send

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"

	"github.com/sidehook/sidehook/rules/config"
)

// rawReceiver is a target that answers with any bytes it likes. Each request
// it reads is handed to answer with its connection, both counted from 1;
// answer returning false closes the connection.
type rawReceiver struct {
	url      string
	mu       sync.Mutex
	requests int
}

type rawAnswer func(conn net.Conn, connection, request int) (keep bool)

func newRawReceiver(t *testing.T, answer rawAnswer) *rawReceiver {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &rawReceiver{url: "http://" + listener.Addr().String()}
	open := &openConns{}
	var serving sync.WaitGroup
	t.Cleanup(func() {
		_ = listener.Close()
		open.closeAll()
		serving.Wait()
	})
	serving.Go(func() {
		for connection := 1; ; connection++ {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			open.add(conn)
			serving.Go(func() { r.serve(conn, connection, answer) })
		}
	})
	return r
}

func (r *rawReceiver) serve(conn net.Conn, connection int, answer rawAnswer) {
	defer conn.Close()
	reader := bufio.NewReader(conn)
	for {
		request, err := http.ReadRequest(reader)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, request.Body)
		r.mu.Lock()
		r.requests++
		n := r.requests
		r.mu.Unlock()
		if !answer(conn, connection, n) {
			return
		}
	}
}

func (r *rawReceiver) seen() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.requests
}

// openConns lets a test end connections that hang on purpose.
type openConns struct {
	mu     sync.Mutex
	closed bool
	conns  []net.Conn
}

func (o *openConns) add(conn net.Conn) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		_ = conn.Close()
	}
	o.conns = append(o.conns, conn)
}

func (o *openConns) closeAll() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	for _, conn := range o.conns {
		_ = conn.Close()
	}
}

// says answers each request with the same bytes and goes on.
func says(text string) rawAnswer {
	return func(conn net.Conn, _, _ int) bool {
		_, err := io.WriteString(conn, text)
		return err == nil
	}
}

// saysAndCloses answers with the same bytes and ends the connection.
func saysAndCloses(text string) rawAnswer {
	return func(conn net.Conn, connection, request int) bool {
		says(text)(conn, connection, request)
		return false
	}
}

// saysForever writes start, then again and again more, until nobody reads on.
func saysForever(start, more string) rawAnswer {
	return func(conn net.Conn, _, _ int) bool {
		_, err := io.WriteString(conn, start)
		for err == nil {
			_, err = io.WriteString(conn, more)
		}
		return false
	}
}

// drips writes start, then more every few milliseconds, so that no read takes long.
func drips(start, more string) rawAnswer {
	return func(conn net.Conn, _, _ int) bool {
		_, err := io.WriteString(conn, start)
		for err == nil {
			time.Sleep(5 * time.Millisecond)
			_, err = io.WriteString(conn, more)
		}
		return false
	}
}

// saysAndHangs writes text, then nothing, until the sender goes away.
func saysAndHangs(text string) rawAnswer {
	return func(conn net.Conn, _, _ int) bool {
		_, _ = io.WriteString(conn, text)
		_, _ = io.Copy(io.Discard, conn)
		return false
	}
}

// saysAndResets writes text and ends the connection with a RST.
func saysAndResets(text string) rawAnswer {
	return func(conn net.Conn, _, _ int) bool {
		_, _ = io.WriteString(conn, text)
		_ = conn.(*net.TCPConn).SetLinger(0)
		return false
	}
}

// targetAt is a target with the defaults that matter to a Sender.
func targetAt(t *testing.T, address string) config.Target {
	t.Helper()
	parsed, err := config.ParseURL(address)
	if err != nil {
		t.Fatal(err)
	}
	return config.Target{
		URL:         parsed,
		Secret:      config.Secrets{config.NewSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")},
		Format:      config.FormatStandard,
		TLS:         config.TLS{Verify: true},
		Allow:       config.Allowed{{Class: config.Private}, {Class: config.Loopback}},
		Timeout:     config.Duration(15 * time.Second),
		Concurrency: 4,
	}
}

func senderFor(t *testing.T, target config.Target) *Sender {
	t.Helper()
	return loggingSenderFor(t, target, slog.New(slog.DiscardHandler))
}

func loggingSenderFor(t *testing.T, target config.Target, logger *slog.Logger) *Sender {
	t.Helper()
	sender, err := NewSender(SenderOptions{Name: "crm", Target: target, Version: "1.2.3", Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	sender.drainTime = 50 * time.Millisecond
	t.Cleanup(sender.Close)
	return sender
}

// someDelivery is a delivery with all that a Sender looks at.
func someDelivery() *outbox.Delivery {
	return &outbox.Delivery{
		ID:          "msg_5gk3",
		Target:      "crm",
		ContentType: "application/json",
		Body:        []byte(`{"type":"survey.completed","data":{"answer":"canary-answer"}}`),
		Traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
	}
}

func send(s *Sender) Result {
	return s.Send(context.Background(), someDelivery(), sentAt)
}

// sentAt is the moment of every attempt.
var sentAt = time.Date(2026, 11, 23, 21, 22, 16, 0, time.UTC)

// authority issues certificates for tests.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	file string
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t, key: newKey(t), file: filepath.Join(t.TempDir(), "ca.pem")}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &a.key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	writePEM(t, a.file, "CERTIFICATE", der)
	return a
}

// pem is the authority's own certificate, as a file has it.
func (a *authority) pem(t *testing.T) []byte {
	t.Helper()
	content, err := os.ReadFile(a.file)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// issue makes a certificate for name, good for loopback too when it is "localhost", until end.
func (a *authority) issue(name string, end time.Time) tls.Certificate {
	a.t.Helper()
	key := newKey(a.t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: end,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	if name == "localhost" {
		template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// saveCertificate writes a certificate and its key where tls.cert and tls.key point.
func saveCertificate(t *testing.T, certificate tls.Certificate, certFile, keyFile string) {
	t.Helper()
	writePEM(t, certFile, "CERTIFICATE", certificate.Certificate[0])
	der, err := x509.MarshalPKCS8PrivateKey(certificate.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, keyFile, "PRIVATE KEY", der)
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func writePEM(t *testing.T, file, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

// bufferedLogger keeps what is logged.
func bufferedLogger() (*slog.Logger, *bytes.Buffer) {
	buffer := &bytes.Buffer{}
	return slog.New(slog.NewJSONHandler(buffer, &slog.HandlerOptions{Level: slog.LevelDebug})), buffer
}

// discardedLog is for servers whose clients are expected to go wrong.
func discardedLog() *log.Logger { return log.New(io.Discard, "", 0) }
