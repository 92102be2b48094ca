package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/sidehook/sidehook/emitter/rig"
)

const (
	// secret signs every webhook here.
	secret = "a secret for benchmarks"
	// readyLimit bounds the time until a process serves, stopLimit until it has stopped.
	readyLimit = time.Minute
	stopLimit  = time.Minute
	// nowhere is an address of loopback where nobody listens.
	nowhere = "http://127.0.0.1:9"
)

// build is a sidehook binary.
type build struct{ name, path string }

// setting is what differs in the configurations of sidecars.
type setting struct {
	state, app string
	// targets are URLs by name; every event goes to each.
	targets map[string]string
	// isQueueing is set where no target responds and the queue is to be delivered
	// later: attempts time out late and are retried soon.
	isQueueing bool
	// replicas is what several sidecars have in common, and name that of this one; both
	// are empty for one on its own.
	replicas, name string
}

// sidecar is a sidehook process.
type sidecar struct {
	*rig.Process
	// participants and admin are its addresses.
	participants, admin string
	// with is what it was started with; folder has its state.
	with   setting
	folder string
	// starting is the time from its start until it accepted connections.
	starting time.Duration
}

// state returns a new state folder.
func (b *bench) state() string {
	b.states++
	return filepath.Join(b.dir, fmt.Sprintf("state-%d", b.states))
}

// start runs a build until stop or kill.
func (b *bench) start(of build, with setting) (*sidecar, error) {
	addresses, err := rig.FreeAddresses(2)
	if err != nil {
		return nil, err
	}
	s := &sidecar{participants: addresses[0], admin: addresses[1], with: with, folder: with.state}
	path := with.state + ".yaml"
	if err := os.WriteFile(path, []byte(b.config(s, with)), 0o600); err != nil {
		return nil, err
	}
	log, err := os.Create(with.state + ".log")
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.CommandContext(b.ctx, of.path, "-config", path)
	cmd.Env = append(os.Environ(), "BENCH_SECRET="+secret)
	cmd.Stdout, cmd.Stderr = log, log
	began := time.Now()
	if s.Process, err = rig.Start(cmd); err != nil {
		return nil, err
	}
	if err := s.await(began); err != nil {
		s.kill()
		output, _ := os.ReadFile(log.Name())
		return nil, fmt.Errorf("%s: %w:\n%s", of.name, err, output)
	}
	return s, nil
}

// await waits until participants and operators can connect.
func (s *sidecar) await(began time.Time) error {
	if err := s.Await(s.participants, began.Add(readyLimit)); err != nil {
		return err
	}
	s.starting = time.Since(began)
	return s.Await(s.admin, began.Add(readyLimit))
}

func (b *bench) config(s *sidecar, with setting) string {
	var text strings.Builder
	fmt.Fprintf(&text, "listen: %s\nadmin: %s\napp: %s\nstate: %s\nretention: {size: 100GB}\n",
		s.participants, s.admin, with.app, with.state)
	if with.replicas != "" {
		servers, app, _ := strings.Cut(strings.TrimPrefix(with.replicas, "nats://"), "/")
		fmt.Fprintf(&text, "replicas: {servers: ['nats://%s'], app: %s, name: %s}\n", strings.ReplaceAll(servers, ",", "', 'nats://"), app, with.name)
	}
	more := ""
	if with.isQueueing {
		more = ", timeout: 1m, retry: {schedule: [" + strings.Repeat("1s, ", 49) + "1s]}"
	}
	text.WriteString("targets:\n")
	var names []string
	for name, url := range with.targets {
		fmt.Fprintf(&text, "  %s: {url: '%s', secret: env:BENCH_SECRET, concurrency: %d%s}\n", name, url, b.concurrency, more)
		names = append(names, name)
	}
	fmt.Fprintf(&text, "rules:\n  - to: [%s]\n", strings.Join(names, ", "))
	return text.String()
}

// stop ends the process as an operator does.
func (s *sidecar) stop() error { return s.Stop(stopLimit) }

// kill ends the process at once.
func (s *sidecar) kill() { s.Kill() }
