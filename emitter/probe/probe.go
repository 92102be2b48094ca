package probe

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/sidehook/sidehook/emitter/send"
	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/check"
	"github.com/sidehook/sidehook/rules/config"
)

const (
	// timeout bounds each probe.
	timeout = 10 * time.Second
	// maxSkew is how far clocks may be apart.
	maxSkew = 30 * time.Second
	// soon is how long before its end a certificate is warned of.
	soon = 14 * 24 * time.Hour
)

// Prober returns a check.Probe that asks the app through what newApp returns, and
// inspects the servers of replicas with inspect.
func Prober(version string, newApp func(*config.Config) (App, error), inspect check.Inspect) check.Probe {
	return func(ctx context.Context, c *config.Config, profile *rules.Profile) []check.Finding {
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		names := slices.Sorted(maps.Keys(c.Targets))
		findings := make([]check.Finding, 4+len(names))
		clocks := make([]send.Probed, len(names))
		var ofReplicas []check.Finding
		var probing sync.WaitGroup
		if c.Replicas != nil {
			probing.Go(func() { ofReplicas = inspect(ctx, c.Replicas) })
		}
		probing.Go(func() { findings[0] = state(ctx, c.State) })
		probing.Go(func() { findings[1] = port(ctx, "listen", c.Listen, c.Admin) })
		probing.Go(func() { findings[2] = port(ctx, "admin", c.Admin, c.Admin) })
		probing.Go(func() {
			reader, err := newApp(c)
			if err != nil {
				findings[3] = bad("app "+c.App, err.Error(), "correct app_tls")
				return
			}
			findings[3] = app(ctx, reader, c.App, profile)
		})
		for i, name := range names {
			probing.Go(func() { findings[4+i], clocks[i] = target(ctx, name, c.Targets[name], version) })
		}
		probing.Wait()
		return slices.Concat(findings, ofReplicas, clock(names, clocks))
	}
}

// target connects to a target, and posts nothing.
func target(ctx context.Context, name string, settings config.Target, version string) (check.Finding, send.Probed) {
	what := fmt.Sprintf("target %s %s", name, settings.URL)
	sender, err := send.New(send.Options{Name: name, Target: settings, Version: version, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return bad(what, err.Error(), "correct its tls"), send.Probed{}
	}
	defer sender.Close()
	probed := sender.Probe(ctx)
	switch {
	case probed.Reason != "":
		return bad(what, probed.Reason, "nothing is lost meanwhile: deliveries wait and are retried"), probed
	case probed.Certificate.IsZero():
		return good(what, "connected"), probed
	case time.Until(probed.Certificate) < soon:
		return doubtful(what, "its certificate is valid until "+probed.Certificate.UTC().Format(time.DateOnly), "have it renewed"), probed
	}
	return good(what, "connected, certificate valid until "+probed.Certificate.UTC().Format(time.DateOnly)), probed
}

// clock compares this machine's clock with those of the targets; there is no finding
// if none has been seen.
func clock(names []string, probed []send.Probed) (findings []check.Finding) {
	compared := 0
	for i, p := range probed {
		if !p.HasClock {
			continue
		}
		compared++
		if p.Ahead.Abs() > maxSkew {
			findings = append(findings, doubtful("clock", fmt.Sprintf("%s apart from that of target %s, and receivers refuse signatures of another time", p.Ahead.Abs().Round(time.Second), names[i]), "synchronize both by NTP"))
		}
	}
	if compared > 0 && len(findings) == 0 {
		findings = append(findings, good("clock", fmt.Sprintf("within %s of those of the targets", maxSkew)))
	}
	return findings
}
