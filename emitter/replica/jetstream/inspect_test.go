package jetstream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"
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
	f("one server that does not sync", Inspect(ctx, Options{Servers: []string{one}, App: "app"}, []string{fmt.Sprintf("http://"+host+":%d", ports[1])}), NoRoom, NotSynced, FewServers)
	f("a monitor that is none", Inspect(ctx, Options{Servers: []string{one}, App: "app"}, []string{fmt.Sprintf("http://"+host+":%d", ports[3])}), FewServers, Unmonitored)

	denying := freePorts(t, 1)[0]
	denied := startOne(t, &server.Options{Port: denying, JetStream: true, StoreDir: t.TempDir(), Users: []*server.User{{
		Username: "u", Password: "p", Permissions: &server.Permissions{Publish: &server.SubjectPermission{Deny: []string{"app.>"}}},
	}}})
	f("a user who may not publish", Inspect(ctx, Options{Servers: []string{strings.Replace(denied, "nats://", "nats://u:p@", 1)}, App: "app"}, nil), Denied, FewServers)

	without := startOne(t, &server.Options{Port: ports[2]})
	f("a server without JetStream", Inspect(ctx, Options{Servers: []string{without}, App: "app"}, nil), NoJetStream, FewServers)
	f("nobody", Inspect(ctx, Options{Servers: []string{fmt.Sprintf("nats://"+host+":%d", ports[3])}, App: "app"}, nil), Unreachable)
	f("no URL", Inspect(ctx, Options{Servers: []string{"nats"}, App: "app"}, nil), Unreachable, Unencrypted)
}

// startOne starts a server with these options and returns its URL.
func startOne(t *testing.T, o *server.Options) string {
	t.Helper()
	o.Host, o.HTTPHost, o.NoLog, o.NoSigs = host, host, true, true
	one, err := server.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	go one.Start() // until Shutdown
	t.Cleanup(func() { one.Shutdown(); one.WaitForShutdown() })
	if !one.ReadyForConnections(patience) {
		t.Fatal("a NATS server does not start")
	}
	return fmt.Sprintf("nats://"+host+":%d", o.Port)
}

func TestStreamsOfSomebodyElseAreNotUsed(t *testing.T) {
	f := func(what string, edit func(*jetstream.StreamConfig), want string) {
		t.Run(what, func(t *testing.T) {
			one := startOne(t, &server.Options{Port: freePorts(t, 1)[0], JetStream: true, StoreDir: t.TempDir()})
			o, ctx := Options{Servers: []string{one}, App: "app", Logger: slog.New(slog.DiscardHandler)}, bounded(t)
			c, err := Open(o)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			config := streamConfig("app_seen", "app.seen")
			edit(&config)
			if _, err := c.js.CreateStream(ctx, config); err != nil {
				t.Fatal(err)
			}
			calling, cancel := context.WithTimeout(ctx, callTimeout/4)
			defer cancel()
			err = c.See(calling, []byte("message"))
			if want == "" {
				if err != nil {
					t.Error(err)
				}
			} else if err == nil || !strings.Contains(err.Error(), want) || !slices.Contains(concerns(Inspect(ctx, o, nil)), WrongStream) {
				t.Errorf("the error is %v, want %q", err, want)
			}
		})
	}
	f("the one that replicas make", func(*jetstream.StreamConfig) {}, "")
	f("a bound", func(c *jetstream.StreamConfig) { c.MaxBytes = 1 << 20 }, "")
	f("another subject", func(c *jetstream.StreamConfig) { c.Subjects = []string{"app.other"} }, `subjects are ["app.other"]`)
	f("in memory", func(c *jetstream.StreamConfig) { c.Storage = jetstream.MemoryStorage }, "storage is Memory")
	f("drops the old", func(c *jetstream.StreamConfig) { c.Discard, c.MaxMsgs = jetstream.DiscardOld, 200 }, "discards the old")
	f("a number of messages", func(c *jetstream.StreamConfig) { c.MaxMsgs = 200 }, "number of messages")
	f("ends by age", func(c *jetstream.StreamConfig) { c.MaxAge = time.Hour }, "end after 1h0m0s")
	f("a work queue", func(c *jetstream.StreamConfig) { c.Retention = jetstream.WorkQueuePolicy }, "retention is WorkQueue")
	f("small messages", func(c *jetstream.StreamConfig) { c.MaxMsgSize = 1000 }, "size of 1000 bytes")
	f("no acknowledgements", func(c *jetstream.StreamConfig) { c.NoAck = true }, "does not acknowledge")
	f("keeps all", func(c *jetstream.StreamConfig) { c.DenyPurge = true }, "nothing can be deleted")
}

func TestAStreamThatWasEditedIsNotUsed(t *testing.T) {
	one := startOne(t, &server.Options{Port: freePorts(t, 1)[0], JetStream: true, StoreDir: t.TempDir()})
	c, err := Open(Options{Servers: []string{one}, App: "app", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx := bounded(t)
	if _, err := c.Write(ctx, 0, []byte("entry")); err != nil {
		t.Fatal(err)
	}
	edited := streamConfig("app_written", "app.written")
	edited.MaxAge = time.Hour
	if _, err := c.js.UpdateStream(ctx, edited); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.Extent(ctx); err == nil || !strings.Contains(err.Error(), "end after 1h0m0s") {
		t.Errorf("the error is %v", err)
	}
	edited.MaxAge = 0
	if _, err := c.js.UpdateStream(ctx, edited); err != nil {
		t.Fatal(err)
	}
	if _, last, err := c.Extent(ctx); err != nil || last != 1 {
		t.Errorf("once it is as it was, the last entry is %d, %v", last, err)
	}
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

func TestStreamsAreMadeWhereNothingCanBeReserved(t *testing.T) {
	f := func(room int64) {
		t.Helper()
		var log logBuffer
		one := startOne(t, &server.Options{Port: freePorts(t, 1)[0], JetStream: true, StoreDir: t.TempDir(), JetStreamMaxStore: room})
		c, err := Open(Options{Servers: []string{one}, App: "app", Logger: slog.New(slog.NewTextHandler(&log, nil))})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		ctx := bounded(t)
		if _, err := c.Write(ctx, 0, []byte("entry")); err != nil {
			t.Errorf("with %d bytes of room: %v", room, err)
		}
		if err := errors.Join(c.See(ctx, []byte("message")), c.Save(ctx, "snapshot", strings.NewReader("content"))); err != nil {
			t.Errorf("with %d bytes of room: %v", room, err)
		}
		if !strings.Contains(log.String(), "raise max_file_store") {
			t.Errorf("with %d bytes of room, it logged %q", room, log.String())
		}
	}
	f(10 << 20)
	f(200 << 20)
}
