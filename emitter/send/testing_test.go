package send

import (
	"bytes"
	"context"
	"io"
	"log"
	"log/slog"
	"testing"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"

	"github.com/sidehook/sidehook/rules/config"
)

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

func newSender(t *testing.T, target config.Target) *Sender {
	t.Helper()
	return newLoggingSender(t, target, slog.New(slog.DiscardHandler))
}

func newLoggingSender(t *testing.T, target config.Target, logger *slog.Logger) *Sender {
	t.Helper()
	sender, err := New(Options{Name: "crm", Target: target, Version: "1.2.3", Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	sender.drainTime = 50 * time.Millisecond
	t.Cleanup(sender.Close)
	return sender
}

// newDelivery is a delivery with all that a Sender looks at.
func newDelivery() *outbox.Delivery {
	return &outbox.Delivery{
		ID:          "msg_5gk3",
		Target:      "crm",
		ContentType: "application/json",
		Body:        []byte(`{"type":"survey.completed","data":{"answer":"canary-answer"}}`),
		Traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
	}
}

func headers(name, value string) map[string]config.HeaderValue {
	return map[string]config.HeaderValue{name: {Secret: config.NewSecret(value)}}
}

func send(s *Sender) Result {
	return s.Send(context.Background(), newDelivery(), sentAt)
}

// sentAt is the moment of every attempt.
var sentAt = time.Date(2026, 11, 23, 21, 22, 16, 0, time.UTC)

// bufferedLogger keeps what is logged.
func bufferedLogger() (*slog.Logger, *bytes.Buffer) {
	buffer := &bytes.Buffer{}
	return slog.New(slog.NewJSONHandler(buffer, &slog.HandlerOptions{Level: slog.LevelDebug})), buffer
}

// discardedLog is for servers whose clients are expected to go wrong.
func discardedLog() *log.Logger { return log.New(io.Discard, "", 0) }
