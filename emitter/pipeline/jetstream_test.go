package pipeline

import (
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/sidehook/sidehook/rules/config"
)

// patience bounds what a test waits for, which never takes long.
const patience = time.Minute

// newServer starts a NATS server with JetStream in this process, until the test ends.
func newServer(t *testing.T) *config.Replicas {
	t.Helper()
	s := runServer(t, func(*server.Options) {})
	return replicasAt(t, s.ClientURL())
}

func runServer(t *testing.T, change func(*server.Options)) *server.Server {
	t.Helper()
	o := &server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, NoLog: true, NoSigs: true,
		JetStream: true, StoreDir: t.TempDir(), SyncAlways: true,
	}
	change(o)
	s, err := server.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	go s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(patience) {
		t.Fatal("the NATS server does not start")
	}
	return s
}

// replicasAt is the configuration of replicas with one server.
func replicasAt(t *testing.T, url string) *config.Replicas {
	t.Helper()
	address, err := config.ParseServer(url)
	if err != nil {
		t.Fatal(err)
	}
	return &config.Replicas{Servers: []config.Server{address}, App: "decsys", TLS: config.TLS{Verify: true}}
}

// await waits until something is so.
func await(t *testing.T, what string, isSo func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !isSo(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("in vain: %s", what)
		}
	}
}

func TestReplicasOnJetStreamDeliverWhatAnyOfThemSawOnceAndInOrder(t *testing.T) {
	to, shared := newReceiver(), newServer(t)
	newNamed := func(name string) *Pipeline {
		one := *shared
		one.Name = name
		return newPipeline(t, to, func(o *Options) { o.Config.Replicas = &one })
	}
	first, second := newNamed("first"), newNamed("second")
	stop := start(t, first)
	await(t, "the first replica leads", first.Store.Leads)
	start(t, second)
	replicas := []*Pipeline{first, second}

	show(t, first, 1)
	for n := 2; n <= 30; n++ {
		next(t, replicas[n%2], n)
	}
	await(t, "all events arrive", func() bool { return len(to.events()) >= 29 })
	stop()
	for n := 31; n <= 40; n++ {
		next(t, second, n)
	}
	await(t, "the second replica goes on", func() bool { return len(to.events()) >= 39 })
	if got, want := to.events(), moves(1, 40); !slices.Equal(got, want) {
		t.Errorf("the target got %q, want %q", got, want)
	}
	if n := to.repeats(); n != 0 {
		t.Errorf("%d deliveries came again though nothing failed", n)
	}
}
