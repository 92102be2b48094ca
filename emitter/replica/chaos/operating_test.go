package chaos

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/sidehook/sidehook/emitter/rig"
	"github.com/sidehook/sidehook/rules/config"
)

// stopTimeout is the default of stop_timeout. What is recorded is written within the
// last part of it, which no request in flight gets.
const stopTimeout = 25 * time.Second

// newPair starts a single sidehook that has state, of an earlier release if there is one,
// then a server, and then two replicas of which it is the first.
func newPair(t *testing.T) *field {
	t.Helper()
	dir := t.TempDir()
	folder := cmp.Or(os.Getenv(binariesVariable), dir)
	b := binaries{sidehook: filepath.Join(folder, "sidehook"), server: filepath.Join(folder, "nats-server")}
	const main = "github.com/sidehook/sidehook"
	must(t, buildProgram(t.Context(), b.sidehook, main))
	must(t, buildProgram(t.Context(), b.server, "github.com/nats-io/nats-server/v2"))

	f := &field{size: size{2, 1}, dir: dir, ledger: newLedger(io.Discard)}
	t.Cleanup(f.close)
	f.app = newApp(f.ledger)
	web := httptest.NewServer(f.app)
	t.Cleanup(web.Close)
	var err error
	f.receiver, err = newReceiver(f.ledger)
	must(t, err)
	addresses, err := rig.FreeAddresses(1)
	must(t, err)
	s := &server{name: "server-1", binary: b.server, dir: filepath.Join(dir, "server-1"), clients: addresses[0]}
	must(t, s.configureAlone())
	f.servers = append(f.servers, s)
	for n := range f.size.replicas {
		addresses, err := rig.FreeAddresses(2)
		must(t, err)
		name := fmt.Sprintf("replica-%d", n+1)
		r := &replica{name: name, binary: b.sidehook, dir: filepath.Join(dir, name), participants: addresses[0], admin: addresses[1]}
		f.replicas = append(f.replicas, r)
		if isFirst := n == 0; isFirst {
			must(t, r.configure(web.URL, f.receiver.URL(), nil))
			if *chaosBefore != "" {
				r.binary = *chaosBefore
			}
			must(t, r.start())
			f.takeAll(t, 1)
			must(t, r.stop())
			r.binary = b.sidehook
			must(t, s.start())
		}
		must(t, r.configure(web.URL, f.receiver.URL(), []string{s.clients}))
		must(t, r.stopAtOnce())
		must(t, r.start())
	}
	return f
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// configureAlone writes the configuration of a server without others.
func (s *server) configureAlone() error {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	text := fmt.Sprintf("server_name: %s\nlisten: %q\njetstream {store_dir: %q, sync_interval: always}\n", s.name, s.clients, filepath.Join(s.dir, "data"))
	return os.WriteFile(s.config(), []byte(text), 0o600)
}

// stopAtOnce has the process not wait for load balancers before it stops.
func (r *replica) stopAtOnce() error {
	text, err := os.ReadFile(r.config())
	if err != nil {
		return err
	}
	return os.WriteFile(r.config(), append(text, "drain_delay: 0s\n"...), 0o600)
}

// takeAll has some participants take the survey at once, to its end.
func (f *field) takeAll(t *testing.T, count int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), drainLimit)
	defer cancel()
	var taking sync.WaitGroup
	for range count {
		p := &participant{field: f, random: rand.New(rand.NewPCG(rand.Uint64(), 0))}
		taking.Go(func() {
			if err := p.take(ctx); err != nil {
				t.Errorf("a participant cannot go on: %v", err)
			}
		})
	}
	taking.Wait()
}

// awaitAll waits until all that is owed has arrived.
func (f *field) awaitAll(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), drainLimit)
	defer cancel()
	for len(f.ledger.owed()) > 0 {
		if pause(ctx, 20*time.Millisecond) != nil {
			t.Fatalf("not all has arrived: %v", f.ledger.owed())
		}
	}
}

// terminate ends the process as a container's runtime does, and returns how long it took.
func (r *replica) terminate(t *testing.T) time.Duration {
	t.Helper()
	g, began := r.generation(), time.Now()
	g.client.CloseIdleConnections()
	g.process.Signal(syscall.SIGTERM)
	select {
	case <-g.process.Ended():
	case <-time.After(stopTimeout):
		t.Fatalf("%s has not ended within stop_timeout", r.name)
	}
	if exit := g.process.Exit(); exit != "exit status 0" {
		t.Errorf("%s ended with %s", r.name, exit)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.running = nil
	return time.Since(began)
}

func TestTwoReplicasAreKilledListedAndTerminatedWithTheirServerAndWithout(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds two programs, and takes some seconds")
	}
	f := newPair(t)
	leader, err := f.leader(t.Context())
	must(t, err)
	killed := make(chan error)
	before := f.receiver.attempts.Load()
	go func() {
		for f.receiver.attempts.Load() < before+10 { // in the middle
			_ = pause(t.Context(), time.Millisecond)
		}
		began := time.Now()
		leader.kill()
		err := leader.start()
		f.ledger.broke(span{"kill", began, time.Now()})
		killed <- err
	}()
	f.takeAll(t, 6)
	must(t, <-killed)
	f.awaitAll(t)

	out, err := exec.CommandContext(t.Context(), leader.binary, "replicas", "--admin", leader.admin).CombinedOutput()
	if text := string(out); err != nil || !strings.Contains(text, "replica-1") || !strings.Contains(text, "replica-2") || !strings.Contains(text, "leading") {
		t.Errorf("sidehook replicas: %v\n%s", err, text)
	}

	mostToStop := stopTimeout - time.Duration(config.MinStop)
	expectStop := func(r *replica, circumstances string) {
		t.Helper()
		took := r.terminate(t)
		t.Logf("%s %s stopped within %v", r.name, circumstances, took.Round(time.Millisecond))
		if took >= mostToStop {
			t.Errorf("%s %s took %v to stop, want less than %v", r.name, circumstances, took, mostToStop)
		}
	}
	expectStop(leader, "with its server")
	f.takeAll(t, 1) // at the other
	must(t, leader.start())

	began := time.Now()
	f.servers[0].kill()
	f.takeAll(t, 2)
	for _, r := range f.replicas {
		expectStop(r, "without its server")
	}
	must(t, f.servers[0].start())
	for _, r := range f.replicas {
		must(t, r.start())
	}
	f.ledger.broke(span{"no server", began, time.Now()})
	f.awaitAll(t)
	expectNothingWrong(t, f.ledger.check())
}
