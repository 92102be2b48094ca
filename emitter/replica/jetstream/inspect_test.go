package jetstream

import (
	"fmt"
	"slices"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
)

// concerns are those of a report.
func concerns(r Report) (list []Concern) {
	for _, f := range r.Findings {
		if f.Text == "" {
			list = append(list, -1)
		}
		list = append(list, f.Concern)
	}
	return list
}

func TestInspectFindsWhatIsNotAsItShouldBe(t *testing.T) {
	f := func(what string, got Report, want ...Concern) {
		t.Helper()
		if !slices.Equal(concerns(got), want) {
			t.Errorf("%s: found %v, want %v", what, got.Findings, want)
		}
	}
	ctx := bounded(t)
	cluster := newServers(t, 3)
	o := Options{Servers: cluster.urls(), App: "app"}
	f("a cluster", Inspect(ctx, o, nil))
	o.Servers = append(o.Servers, o.Servers[0])
	f("a server twice", Inspect(ctx, o, nil), SameServer)

	ports := freePorts(t, 4)
	one := startOne(t, &server.Options{Port: ports[0], HTTPPort: ports[1], JetStream: true, StoreDir: t.TempDir(), JetStreamMaxStore: 10 << 20})
	f("one server that does not sync", Inspect(ctx, Options{Servers: []string{one}, App: "app"}, []string{fmt.Sprintf("http://127.0.0.1:%d", ports[1])}), NotSynced, FewServers)
	f("a monitor that is none", Inspect(ctx, Options{Servers: []string{one}, App: "app"}, []string{fmt.Sprintf("http://127.0.0.1:%d", ports[3])}), FewServers, Unmonitored)

	without := startOne(t, &server.Options{Port: ports[2]})
	f("a server without JetStream", Inspect(ctx, Options{Servers: []string{without}, App: "app"}, nil), NoJetStream, FewServers)
	f("nobody", Inspect(ctx, Options{Servers: []string{fmt.Sprintf("nats://127.0.0.1:%d", ports[3])}, App: "app"}, nil), Unreachable)
	f("no URL", Inspect(ctx, Options{Servers: []string{"nats"}, App: "app"}, nil), Unreachable, Unencrypted)
}

// startOne starts a server with these options and returns its URL.
func startOne(t *testing.T, o *server.Options) string {
	t.Helper()
	o.Host, o.HTTPHost, o.NoLog, o.NoSigs = "127.0.0.1", "127.0.0.1", true, true
	one, err := server.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	go one.Start() // until Shutdown
	t.Cleanup(func() { one.Shutdown(); one.WaitForShutdown() })
	if !one.ReadyForConnections(patience) {
		t.Fatal("a NATS server does not start")
	}
	return fmt.Sprintf("nats://127.0.0.1:%d", o.Port)
}

func TestReleasesBeforeTheOneThatIsNeededAreOlder(t *testing.T) {
	f := func(version string, want bool) {
		t.Helper()
		if got := isOlder(version); got != want {
			t.Errorf("%s is older: %t", version, got)
		}
	}
	f("2.14.5", true)
	f("1.99.0", true)
	f("2.15.0", false)
	f("2.15.0-RC.1", false)
	f("2.16.1", false)
	f("3.0.0", false)
	f("unknown", false)
}

func TestAServerKnownByNameAndByAddressCountsOnce(t *testing.T) {
	urls := []string{"nats://localhost:4222", "nats://127.0.0.1:4222", "nats://127.0.0.1:4223", "nats://localhost:4223"}
	if n := countServers(bounded(t), urls); n != 2 {
		t.Errorf("%q are %d servers", urls, n)
	}
}
