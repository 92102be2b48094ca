package probe

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/sidehook/sidehook/emitter/replica/jetstream"
	"github.com/sidehook/sidehook/rules/check"
	"github.com/sidehook/sidehook/rules/config"
)

// replicasTimeout bounds the inspection of the servers of the replicas.
const replicasTimeout = 5 * time.Second

// Replicas returns a check.Inspect that connects to the servers with what settings returns.
func Replicas(settings func(*config.Replicas, *slog.Logger) (jetstream.Options, error)) check.Inspect {
	return func(ctx context.Context, c *config.Replicas) []check.Finding {
		what := "replicas " + c.App
		o, err := settings(c, slog.New(slog.DiscardHandler))
		if err != nil {
			return []check.Finding{bad(what, err.Error(), "correct replicas.tls")}
		}
		ctx, cancel := context.WithTimeout(ctx, replicasTimeout)
		defer cancel()
		var monitors []string
		for _, monitor := range c.Monitor {
			monitors = append(monitors, monitor.Reveal())
		}
		return describeReport(what, jetstream.Inspect(ctx, o, monitors))
	}
}

func describeReport(what string, report jetstream.Report) (findings []check.Finding) {
	for _, f := range report.Findings {
		findings = append(findings, check.Finding{Verdict: verdictOf(f.Concern), What: what, Why: f.Text})
	}
	if len(findings) == 0 {
		where := "release " + report.Version
		if report.Cluster != "" {
			where = strings.TrimSpace(fmt.Sprintf("cluster %s, %s", report.Cluster, where))
		}
		findings = append(findings, good(what, "connected, "+where))
	}
	return findings
}

// verdictOf returns Bad for what keeps the replicas from working.
func verdictOf(c jetstream.Concern) check.Verdict {
	switch c {
	case jetstream.Unreachable, jetstream.NoJetStream, jetstream.Denied, jetstream.WrongStream, jetstream.NoRoom:
		return check.Bad
	case jetstream.NotSynced, jetstream.FewServers, jetstream.OldServer, jetstream.SameServer, jetstream.Unencrypted, jetstream.Unmonitored:
	}
	return check.Doubtful
}
