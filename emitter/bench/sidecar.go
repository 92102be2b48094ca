package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// secret signs every webhook here.
	secret = "a secret for benchmarks"
	// tick is the unit of CPU time in /proc on every Linux that Go knows.
	tick = 10 * time.Millisecond
	// readyLimit is how long a process may take to serve, stopLimit to stop.
	readyLimit = time.Minute
	stopLimit  = time.Minute
	// nowhere is an address of loopback where nobody listens.
	nowhere = "http://127.0.0.1:9"
)

// build is a sidehook binary.
type build struct{ name, path string }

// setting is what a sidecar's configuration says.
type setting struct {
	state, app string
	// targets are URLs by name; every event goes to each.
	targets map[string]string
	// isRelaxed makes responses not wait for the disk.
	isRelaxed bool
	// isQueueing says that no target responds and what is queued is to be
	// delivered later: attempts hang as long as they may, and are due soon again.
	isQueueing bool
}

// sidecar is a sidehook process.
type sidecar struct {
	cmd  *exec.Cmd
	done chan struct{}
	// participants and admin are its addresses.
	participants, admin string
	// starting is how long it took from its start to serve participants.
	starting time.Duration
}

// spent is what a process has used so far.
type spent struct {
	cpu     time.Duration
	written int64 // bytes
	commits float64
	commit  float64 // seconds, all of them
	events  float64
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
		said, _ := os.ReadFile(log.Name())
		return nil, fmt.Errorf("%s: %w:\n%s", of.name, err, said)
	}
	return s, nil
}

// await waits until participants can connect.
func (s *sidecar) await(began time.Time) error {
	for time.Since(began) < readyLimit {
		conn, err := net.DialTimeout("tcp", s.participants, time.Second)
		if err == nil {
			s.starting = time.Since(began)
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
	durability := "strict"
	if with.isRelaxed {
		durability = "relaxed"
	}
	fmt.Fprintf(&text, "listen: %s\nadmin: %s\napp: %s\nstate: %s\ndurability: %s\nretention: {size: 100GB}\ntargets:\n",
		s.participants, s.admin, with.app, with.state, durability)
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

// counts are how many deliveries of the target "receiver" are on disk, by their state.
type counts struct{ Pending, Delivered int }

func (s *sidecar) counts() (counts, error) {
	body, err := s.ask("/targets")
	if err != nil {
		return counts{}, err
	}
	var list []struct {
		Name string
		counts
	}
	if err := json.Unmarshal(body, &list); err != nil {
		return counts{}, fmt.Errorf("cannot read the list of targets: %w", err)
	}
	for _, one := range list {
		if one.Name == "receiver" {
			return one.counts, nil
		}
	}
	return counts{}, errors.New("sidehook has no target receiver")
}

// ask asks the admin listener.
func (s *sidecar) ask(path string) ([]byte, error) {
	client := http.Client{Timeout: requestLimit}
	response, err := client.Get("http://" + s.admin + path)
	if err != nil {
		return nil, fmt.Errorf("cannot ask the admin listener: %w", err)
	}
	defer response.Body.Close()
	return io.ReadAll(response.Body)
}

// spent reads what the process and its metrics say.
func (s *sidecar) spent() (u spent, err error) {
	u.cpu = s.cpu()
	u.written = s.proc("io", "write_bytes:")
	text, err := s.ask("/metrics")
	if err != nil {
		return u, err
	}
	for line := range strings.Lines(string(text)) {
		i := strings.LastIndexByte(line, ' ')
		if i < 0 || line[0] == '#' {
			continue
		}
		value, _ := strconv.ParseFloat(strings.TrimSpace(line[i:]), 64)
		switch name := line[:i]; {
		case name == "sidehook_store_commit_seconds_count":
			u.commits = value
		case name == "sidehook_store_commit_seconds_sum":
			u.commit = value
		case strings.HasPrefix(name, "sidehook_events_total"):
			u.events += value
		}
	}
	return u, nil
}

func (u spent) since(before spent) spent {
	return spent{u.cpu - before.cpu, u.written - before.written, u.commits - before.commits, u.commit - before.commit, u.events - before.events}
}

// rssAnon is the memory of the process that is not a mapped file, in bytes.
func (s *sidecar) rssAnon() int64 { return s.proc("status", "RssAnon:") << 10 }

// proc is the number behind a name in one of the process' files in /proc; 0 without it.
func (s *sidecar) proc(file, name string) (n int64) {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/%s", s.cmd.Process.Pid, file))
	for line := range strings.Lines(string(text)) {
		if rest, isIt := strings.CutPrefix(line, name); isIt {
			_, _ = fmt.Sscan(rest, &n)
			return n
		}
	}
	return 0
}

// cpu is the CPU time that the process has used.
func (s *sidecar) cpu() time.Duration {
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.cmd.Process.Pid))
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * tick
}

// freeAddresses are n addresses of loopback that nobody listens on.
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
