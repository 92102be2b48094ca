package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
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
}

// sidecar is a sidehook process.
type sidecar struct {
	cmd  *exec.Cmd
	done chan struct{}
	// participants and admin are its addresses.
	participants, admin string
	// starting is the time from its start until it accepted connections.
	starting time.Duration
}

func (b *bench) compile(path string) error {
	cmd := exec.CommandContext(b.ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, "github.com/sidehook/sidehook")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("cannot build sidehook; run this inside its tree: %w\n%s", err, out)
	}
	return nil
}

// state returns a new state folder.
func (b *bench) state() string {
	b.states++
	return filepath.Join(b.dir, fmt.Sprintf("state-%d", b.states))
}

// start runs a build until stop or kill.
func (b *bench) start(of build, with setting) (*sidecar, error) {
	addresses, err := freeAddresses(2)
	if err != nil {
		return nil, err
	}
	s := &sidecar{done: make(chan struct{}), participants: addresses[0], admin: addresses[1]}
	path := filepath.Join(b.dir, "config.yaml")
	if err := os.WriteFile(path, []byte(b.config(s, with)), 0o600); err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(b.dir, "sidehook.log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	s.cmd = exec.CommandContext(b.ctx, of.path, "-config", path)
	s.cmd.Env = append(os.Environ(), "BENCH_SECRET="+secret)
	s.cmd.Stdout, s.cmd.Stderr = log, log
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	began := time.Now()
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = s.cmd.Wait()
		close(s.done)
	}()
	if err := s.await(began); err != nil {
		s.kill()
		output, _ := os.ReadFile(log.Name())
		return nil, fmt.Errorf("%s: %w:\n%s", of.name, err, output)
	}
	return s, nil
}

// await waits until participants and operators can connect.
func (s *sidecar) await(began time.Time) error {
	if err := s.awaitListener(s.participants, began); err != nil {
		return err
	}
	s.starting = time.Since(began)
	return s.awaitListener(s.admin, began)
}

func (s *sidecar) awaitListener(address string, began time.Time) error {
	for time.Since(began) < readyLimit {
		conn, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-s.done:
			return errors.New("sidehook ended before it served")
		case <-time.After(time.Millisecond):
		}
	}
	return fmt.Errorf("sidehook does not serve after %v", readyLimit)
}

func (b *bench) config(s *sidecar, with setting) string {
	var text strings.Builder
	fmt.Fprintf(&text, "listen: %s\nadmin: %s\napp: %s\nstate: %s\nretention: {size: 100GB}\ntargets:\n",
		s.participants, s.admin, with.app, with.state)
	more := ""
	if with.isQueueing {
		more = ", timeout: 1m, retry: {schedule: [" + strings.Repeat("1s, ", 49) + "1s]}"
	}
	var names []string
	for name, url := range with.targets {
		fmt.Fprintf(&text, "  %s: {url: '%s', secret: env:BENCH_SECRET, concurrency: %d%s}\n", name, url, b.concurrency, more)
		names = append(names, name)
	}
	fmt.Fprintf(&text, "rules:\n  - to: [%s]\n", strings.Join(names, ", "))
	return text.String()
}

// stop ends the process as an operator does.
func (s *sidecar) stop() error {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.done:
	case <-time.After(stopLimit):
		s.kill()
		return fmt.Errorf("sidehook has not stopped after %v", stopLimit)
	}
	if code := s.cmd.ProcessState.ExitCode(); code != 0 {
		return fmt.Errorf("sidehook ended with status %d", code)
	}
	return nil
}

// kill ends the process at once.
func (s *sidecar) kill() {
	_ = s.cmd.Process.Kill()
	<-s.done
}

// freeAddresses returns n unused addresses of loopback.
func freeAddresses(n int) (list []string, err error) {
	var held []net.Listener
	defer func() {
		for _, l := range slices.Backward(held) {
			l.Close()
		}
	}()
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("cannot find a free port: %w", err)
		}
		held = append(held, l)
		list = append(list, l.Addr().String())
	}
	return list, nil
}
