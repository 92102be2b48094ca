package logs

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"

	"github.com/sidehook/sidehook/rules/config"
)

// settings are how lines are written. They may change at any time.
type settings struct {
	level  slog.LevelVar
	isJSON atomic.Bool
}

// apply takes over the configuration; what it lacks is as by default.
func (s *settings) apply(c config.Log) {
	s.level.Set(map[config.LogLevel]slog.Level{
		config.LogDebug: slog.LevelDebug, config.LogWarn: slog.LevelWarn, config.LogError: slog.LevelError,
	}[c.Level])
	s.isJSON.Store(c.Format == config.LogJSON)
}

// handler makes lines in the format of the settings.
type handler struct {
	settings   *settings
	text, json slog.Handler
}

func newHandler(w io.Writer, s *settings) *handler {
	return &handler{
		settings: s,
		text:     slog.NewTextHandler(w, &slog.HandlerOptions{Level: &s.level}),
		json:     slog.NewJSONHandler(w, &slog.HandlerOptions{Level: &s.level, ReplaceAttr: worded}),
	}
}

// worded makes JSON show values as text does: durations and states would be numbers.
func worded(_ []string, a slog.Attr) slog.Attr {
	if value, ok := a.Value.Any().(fmt.Stringer); ok && a.Value.Kind() != slog.KindTime {
		a.Value = slog.StringValue(value.String())
	}
	return a
}

// Enabled implements slog.Handler.
func (h *handler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= h.settings.level.Level()
}

// Handle implements slog.Handler.
func (h *handler) Handle(ctx context.Context, record slog.Record) error {
	if h.settings.isJSON.Load() {
		return h.json.Handle(ctx, record)
	}
	return h.text.Handle(ctx, record)
}

// WithAttrs implements slog.Handler.
func (h *handler) WithAttrs(attributes []slog.Attr) slog.Handler {
	return &handler{settings: h.settings, text: h.text.WithAttrs(attributes), json: h.json.WithAttrs(attributes)}
}

// WithGroup implements slog.Handler.
func (h *handler) WithGroup(name string) slog.Handler {
	return &handler{settings: h.settings, text: h.text.WithGroup(name), json: h.json.WithGroup(name)}
}
