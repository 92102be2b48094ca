package probe

import (
	"errors"
	"log/slog"
	"net"
	"testing"

	"github.com/sidehook/sidehook/emitter/replica/jetstream"
	"github.com/sidehook/sidehook/rules/check"
	"github.com/sidehook/sidehook/rules/config"
)

// pipelineSettings returns the options for servers without TLS.
func pipelineSettings(c *config.Replicas, _ *slog.Logger) (o jetstream.Options, err error) {
	o.App = c.App
	for _, server := range c.Servers {
		o.Servers = append(o.Servers, server.Reveal())
	}
	return o, nil
}

func TestServersOfReplicasThatCannotBeReachedFail(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	server, err := config.ParseServer("nats://user:canary@" + closed.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	findings := Replicas(pipelineSettings)(t.Context(), &config.Replicas{App: "decsys", Servers: []config.Server{server}})
	if len(findings) != 1 {
		t.Fatalf("got %+v", findings)
	}
	if f := findings[0]; f.Verdict != check.Bad || f.What != "replicas decsys" || f.Why == "" {
		t.Errorf("got %+v", f)
	}
}

func TestTLSOfReplicasThatCannotBeReadFails(t *testing.T) {
	broken := func(*config.Replicas, *slog.Logger) (jetstream.Options, error) {
		return jetstream.Options{}, errors.New("cannot read tls.ca")
	}
	findings := Replicas(broken)(t.Context(), &config.Replicas{App: "decsys"})
	if len(findings) != 1 {
		t.Fatalf("got %+v", findings)
	}
	expect(t, findings[0], check.Bad, "cannot read tls.ca")
}

func TestWhatIsFoundAboutServersIsGraded(t *testing.T) {
	f := func(report jetstream.Report, want ...check.Verdict) {
		t.Helper()
		findings := describeReport("replicas decsys", report)
		if len(findings) != len(want) {
			t.Fatalf("%+v: %+v", report, findings)
		}
		for i := range want {
			if findings[i].Verdict != want[i] || findings[i].Why == "" {
				t.Errorf("%+v: %+v, want %s", report, findings[i], want[i])
			}
		}
	}
	f(jetstream.Report{Version: "2.15.0", Cluster: "c"}, check.Good)
	f(jetstream.Report{Findings: []jetstream.Finding{{Concern: jetstream.NoRoom, Text: "too little"}, {Concern: jetstream.FewServers, Text: "one"}}}, check.Bad, check.Doubtful)
	f(jetstream.Report{Findings: []jetstream.Finding{{Concern: jetstream.NotSynced, Text: "not synced"}, {Concern: jetstream.OldServer, Text: "old"}}}, check.Doubtful, check.Doubtful)
	f(jetstream.Report{Findings: []jetstream.Finding{{Concern: jetstream.Unreachable, Text: "no"}}}, check.Bad)
	f(jetstream.Report{Findings: []jetstream.Finding{{Concern: jetstream.NoJetStream, Text: "no"}, {Concern: jetstream.Denied, Text: "no"}}}, check.Bad, check.Bad)
}
