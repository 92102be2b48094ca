package record

import (
	"context"
	"log/slog"
	"time"

	"github.com/sidehook/sidehook/rules"
)

// logExchange logs at level debug what became of an exchange. The survey is shown once
// the app has accepted it, the participant by a digest only, and answers not at all.
func (r *Recorder) logExchange(f *flight, o *rules.Observation, status int, result result) {
	if !r.log.Enabled(context.Background(), slog.LevelDebug) {
		return
	}
	line := []slog.Attr{
		slog.String("route", f.match.Route()), slog.Int("status", status),
		slog.String("result", string(result)), slog.Duration("duration", time.Since(f.began)),
	}
	if o.Kind != rules.Nothing {
		line = append(line, slog.String("says", string(o.Kind)), slog.String("survey", o.Journey.Instance))
	}
	if r.digest != nil && o.Journey.Participant != "" {
		line = append(line, slog.String("participant", r.digest(o.Journey.Participant)))
	}
	r.log.LogAttrs(context.Background(), slog.LevelDebug, "watched exchange ended", line...)
}
