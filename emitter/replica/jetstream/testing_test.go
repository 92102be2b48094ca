package jetstream

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// host is where the servers listen: no connection comes from there, which could take a
// port that was free.
const host = "127.0.0.7"

// patience bounds what a test waits for, which never takes long.
const patience = 30 * time.Second

// servers are NATS servers with JetStream in this process.
type servers struct {
	t       testing.TB
	list    []*server.Server
	options []*server.Options
}

// newServers starts one server of its own, or a cluster.
func newServers(t testing.TB, n int) *servers {
	t.Helper()
	s := &servers{t: t}
	var routes []*url.URL
	ports := freePorts(t, 2*n)
	for i := range n {
		routes = append(routes, &url.URL{Scheme: "nats", Host: fmt.Sprintf(host+":%d", ports[n+i])})
	}
	dir := t.TempDir()
	for i := range n {
		name := fmt.Sprintf("nats-%d", i)
		o := &server.Options{
			ServerName: name, Host: host, Port: ports[i], NoLog: true, NoSigs: true,
			JetStream: true, StoreDir: filepath.Join(dir, name), SyncAlways: true,
		}
		if n > 1 {
			o.Cluster = server.ClusterOpts{Name: "test", Host: host, Port: ports[n+i]}
			o.Routes = routes
		}
		s.options = append(s.options, o)
		s.list = append(s.list, nil)
		s.start(i)
	}
	t.Cleanup(func() {
		for i := range s.list {
			s.stop(i)
		}
	})
	for _, one := range s.list {
		if !one.ReadyForConnections(patience) {
			t.Fatal("a NATS server does not start")
		}
	}
	s.awaitLeader()
	return s
}

func (s *servers) start(i int) {
	s.t.Helper()
	one, err := server.NewServer(s.options[i].Clone())
	if err != nil {
		s.t.Fatal(err)
	}
	s.list[i] = one
	go one.Start() // until stop
}

func (s *servers) stop(i int) {
	if s.list[i] != nil {
		s.list[i].Shutdown()
		s.list[i].WaitForShutdown()
	}
}

// awaitLeader waits until streams can be made.
func (s *servers) awaitLeader() {
	s.t.Helper()
	if len(s.list) == 1 {
		return
	}
	s.await("a cluster with a leader and all its servers", func() bool {
		for _, one := range s.list {
			if one.JetStreamIsLeader() {
				return len(one.JetStreamClusterPeers()) == len(s.list)
			}
		}
		return false
	})
}

// await waits until something holds.
func (s *servers) await(what string, holds func() bool) {
	s.t.Helper()
	for began := time.Now(); !holds(); time.Sleep(time.Millisecond) {
		if time.Since(began) > patience {
			s.t.Fatalf("there is no %s", what)
		}
	}
}

func (s *servers) urls() (list []string) {
	for _, o := range s.options {
		list = append(list, fmt.Sprintf("nats://"+host+":%d", o.Port))
	}
	return list
}

// connect connects to all servers, through another address if one is given.
func (s *servers) connect(through ...string) *Connection {
	s.t.Helper()
	if through == nil {
		through = s.urls()
	}
	c, err := Open(Options{Servers: through, App: "app", MaxBytes: 64 << 20, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(c.Close)
	return c
}

func freePorts(t testing.TB, n int) (ports []int) {
	t.Helper()
	for range n {
		l, err := net.Listen("tcp", host+":0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports
}

func bounded(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// swallower relays to an address, and can swallow what comes from there.
type swallower struct {
	address string
	isDeaf  chan bool
}

func (s *servers) swallow(to string) *swallower {
	s.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { listener.Close() })
	w := &swallower{address: "nats://" + listener.Addr().String(), isDeaf: make(chan bool, 1)}
	w.isDeaf <- false
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			upstream, err := net.Dial("tcp", to)
			if err != nil {
				client.Close()
				continue
			}
			go func() { _, _ = io.Copy(upstream, client); upstream.Close() }()
			go func() { _, _ = io.Copy(w.to(client), upstream); client.Close() }()
		}
	}()
	return w
}

// to returns a writer that passes bytes on while they are not to be swallowed.
func (w *swallower) to(client net.Conn) io.Writer {
	return writerFunc(func(p []byte) (int, error) {
		isDeaf := <-w.isDeaf
		w.isDeaf <- isDeaf
		if isDeaf {
			return len(p), nil
		}
		return client.Write(p)
	})
}

func (w *swallower) setDeaf(isDeaf bool) {
	<-w.isDeaf
	w.isDeaf <- isDeaf
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
