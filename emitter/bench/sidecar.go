package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"
)

// secret signs every webhook here.
const secret = "a secret for benchmarks"

// ownTicks is how many of the kernel's ticks make a second, for /proc/PID/stat.
const ownTicks = 100

// sidecar is the program, running in a process of its own.
type sidecar struct {
	cmd *exec.Cmd
	// participants and admin are its addresses.
	participants, admin string
	// starting is how long it took to serve participants.
	starting time.Duration
	reading  sync.WaitGroup
}

var servedAt = regexp.MustCompile(`address=(\S+) admin=(\S+)`)

func (b *bench) build() error {
	cmd := exec.CommandContext(b.ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", b.binary, "github.com/sidehook/sidehook")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("cannot build sidehook: %w: %s", err, out)
	}
	return nil
}

// state is a folder for a state file.
func (b *bench) state(name string) string { return filepath.Join(b.dir, name) }

// start runs the program on a state folder until stop; targets are names with their URLs.
func (b *bench) start(state, app string, targets map[string]string) (*sidecar, error) {
	path := filepath.Join(b.dir, "config.yaml")
	if err := os.WriteFile(path, []byte(b.config(state, app, targets)), 0o600); err != nil {
		return nil, err
	}
	s := &sidecar{cmd: exec.CommandContext(b.ctx, b.binary, "-config", path)}
	s.cmd.Env = append(os.Environ(), "BENCH_SECRET="+secret)
	stderr, err := s.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(stderr)
	var said strings.Builder
	for s.participants == "" && lines.Scan() {
		fmt.Fprintln(&said, lines.Text())
		if match := servedAt.FindStringSubmatch(lines.Text()); match != nil {
			s.participants, s.admin, s.starting = match[1], match[2], time.Since(began)
		}
	}
	if s.participants == "" {
		return nil, errors.Join(fmt.Errorf("sidehook does not serve:\n%s", said.String()), s.cmd.Wait())
	}
	s.reading.Go(func() { _, _ = io.Copy(io.Discard, stderr) })
	return s, nil
}

func (b *bench) config(state, app string, targets map[string]string) string {
	var text strings.Builder
	fmt.Fprintf(&text, "listen: 127.0.0.1:0\nadmin: 127.0.0.1:0\napp: %s\nstate: %s\nretention: {size: 100GB}\ntargets:\n", app, state)
	var names []string
	for name, url := range targets {
		fmt.Fprintf(&text, "  %s: {url: '%s', secret: env:BENCH_SECRET, concurrency: %d}\n", name, url, b.concurrency)
		names = append(names, name)
	}
	fmt.Fprintf(&text, "rules:\n  - to: [%s]\n", strings.Join(names, ", "))
	return text.String()
}

// stop ends the process as an operator would.
func (s *sidecar) stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	s.reading.Wait()
	return s.cmd.Wait()
}

// pending is how many deliveries of a target are yet to be delivered.
func (s *sidecar) pending(target string) (int, error) {
	response, err := http.Get("http://" + s.admin + "/targets")
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	var list []struct {
		Name    string
		Pending int
	}
	if err := json.NewDecoder(response.Body).Decode(&list); err != nil {
		return 0, err
	}
	for _, one := range list {
		if one.Name == target {
			return one.Pending, nil
		}
	}
	return 0, fmt.Errorf("sidehook has no target %s", target)
}

// rssAnon is the memory of the process that is not a mapped file, in bytes.
func (s *sidecar) rssAnon() (bytes int64) {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	for line := range strings.Lines(string(status)) {
		if _, err := fmt.Sscanf(line, "RssAnon: %d kB", &bytes); err == nil {
			return bytes << 10
		}
	}
	return 0
}

// cpu is the CPU time that the process has had.
func (s *sidecar) cpu() time.Duration {
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.cmd.Process.Pid))
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	var user, system int64
	if len(fields) < 13 {
		return 0
	}
	_, _ = fmt.Sscan(fields[11], &user)
	_, _ = fmt.Sscan(fields[12], &system)
	return time.Duration(user+system) * time.Second / ownTicks
}
