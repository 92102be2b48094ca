package proxy

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestWarningIsLoggedOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var logged strings.Builder
		w := newWarnings(slog.New(slog.NewTextHandler(&logged, nil)))
		lines := func() int { return strings.Count(logged.String(), "\n") }
		w.log(warnTimedOut)
		w.log(warnTimedOut)
		equal(t, "lines", lines(), 1)
		w.log(warnBrokeOff)
		equal(t, "lines, with another warning", lines(), 2)
		time.Sleep(time.Minute)
		w.log(warnTimedOut)
		equal(t, "lines, a minute later", lines(), 3)
	})
}

// blockedHandler is a log that nobody reads.
type blockedHandler struct {
	slog.Handler
	began, done chan struct{}
}

func (h blockedHandler) Handle(context.Context, slog.Record) error {
	close(h.began)
	<-h.done
	return nil
}

func TestBlockedLogDelaysOneRequestOnly(t *testing.T) {
	h := blockedHandler{slog.NewTextHandler(nil, nil), make(chan struct{}), make(chan struct{})}
	w := newWarnings(slog.New(h))
	returned := make(chan struct{})
	go func() {
		defer close(returned)
		w.log(warnTimedOut)
	}()
	<-h.began
	w.log(warnTimedOut) // does not block
	close(h.done)
	<-returned
}

func TestEveryWarningHasAText(t *testing.T) {
	for of, text := range warningTexts {
		if text == "" {
			t.Errorf("warning %d has none", of)
		}
	}
}
