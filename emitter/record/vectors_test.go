package record

import (
	"bufio"
	"bytes"
	"flag"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/emitter/send"
	"github.com/sidehook/sidehook/rules/config"
)

var update = flag.Bool("update", false, "write golden files instead of comparing with them")

// The requests in docs/receiving are what the Sender writes to a connection.
func TestTheRequestsOfTheReceiversManualAreSent(t *testing.T) {
	for format := range formats {
		path := "../../docs/receiving/" + string(format) + ".http"
		sent := wire(t, format)
		if *update {
			if err := os.WriteFile(path, sent, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(sent)); diff != "" {
			t.Errorf("%s (-manual +sent):\n%s", path, diff)
		}
	}
}

// wire returns the bytes of a request, with the name of a receiver instead of an
// address, and LF instead of CRLF.
func wire(t *testing.T, format config.Format) []byte {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	received := make(chan []byte, 1)
	go func() { received <- receiveOne(listener) }()
	target := config.Target{
		URL: parseURL(t, "http://"+listener.Addr().String()+"/hooks/survey"), Format: format, Timeout: config.Duration(15 * time.Second),
		Secret: config.Secrets{config.NewSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")}, Allow: config.Allowed{{Class: config.Loopback}}, Concurrency: 1,
	}
	sender, err := send.New(send.Options{Name: "crm", Target: target, Version: "1.0.0", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer sender.Close()
	d := &outbox.Delivery{
		ID: "msg_q8Ww2mJ3nVf0yKc7TzL5aXbE", ContentType: formats[format].contentType, Body: formats[format].body(aboutSkipped, skippedComfort(t)),
		Traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
	}
	if result := sender.Send(t.Context(), d, time.Unix(1741079763, 0)); result.Outcome != send.Delivered {
		t.Fatalf("%s: result is %+v", format, result)
	}
	head, body, _ := strings.Cut(string(<-received), "\r\n\r\n")
	head = strings.ReplaceAll(head, listener.Addr().String(), "receiver.example.org")
	return []byte(strings.ReplaceAll(head, "\r\n", "\n") + "\n\n" + body + "\n")
}

// receiveOne returns the bytes of one request, and responds with 204.
func receiveOne(listener net.Listener) []byte {
	conn, err := listener.Accept()
	if err != nil {
		return nil
	}
	defer conn.Close()
	var raw bytes.Buffer
	request, err := http.ReadRequest(bufio.NewReader(io.TeeReader(conn, &raw)))
	if err != nil {
		return nil
	}
	_, _ = io.Copy(io.Discard, request.Body)
	_, _ = io.WriteString(conn, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
	return raw.Bytes()
}

func parseURL(t *testing.T, text string) config.URL {
	t.Helper()
	url, err := config.ParseURL(text)
	if err != nil {
		t.Fatal(err)
	}
	return url
}
