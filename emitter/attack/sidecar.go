package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/sidehook/sidehook/emitter/rig"
)

// stderr is what is behind the standard error of a process.
type stderr int

const (
	// logFile is read by a verdict.
	logFile stderr = iota
	// stuckPipe is small and never read.
	stuckPipe
	// brokenPipe has nobody at its other end.
	brokenPipe
)

const (
	// readyLimit bounds the time until a process serves.
	readyLimit = time.Minute
	// askLimit bounds a request to the admin listener.
	askLimit = 5 * time.Second
	// pipeSize is the least that Linux lets a pipe hold.
	pipeSize = 4096
)

// sidecar is a sidehook process with its files. A restart replaces the process.
type sidecar struct {
	*rig.Process
	binary, dir, cgroup string
	setup               setup
	// participants and admin are its addresses.
	participants, admin string
	// unread keeps the other end of a stuck pipe open.
	unread []*os.File
}

func (s *sidecar) configPath() string { return filepath.Join(s.dir, "config.yaml") }

func (s *sidecar) logPath() string { return filepath.Join(s.dir, "sidehook.log") }

func (s *sidecar) statePath() string { return filepath.Join(s.dir, "state") }

// start runs the process until it is stopped or killed.
func (s *sidecar) start(ctx context.Context) error {
	output, err := s.openStderr()
	if err != nil {
		return err
	}
	defer output.Close()
	script := `exec "$0" "$@"`
	if s.setup.descriptors > 0 {
		script = fmt.Sprintf("ulimit -n %d; %s", s.setup.descriptors, script)
	}
	if s.cgroup != "" {
		script = fmt.Sprintf("echo $$ >%s/cgroup.procs; %s", s.cgroup, script)
	}
	cmd := exec.CommandContext(ctx, "sh", "-c", script, s.binary, "-config", s.configPath())
	cmd.Env = append(os.Environ(), "ATTACK_SECRET="+secret)
	cmd.Stderr = output
	if s.Process, err = rig.Start(cmd); err != nil {
		return err
	}
	for _, address := range []string{s.participants, s.admin} {
		if err := s.Await(address, time.Now().Add(readyLimit)); err != nil {
			s.Kill()
			return fmt.Errorf("%w:\n%s", err, s.log())
		}
	}
	return nil
}

func (s *sidecar) openStderr() (*os.File, error) {
	if s.setup.stderr == logFile {
		return os.OpenFile(s.logPath(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	}
	reader, writer, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	if s.setup.stderr == brokenPipe {
		return writer, reader.Close()
	}
	s.unread = append(s.unread, reader)
	_, _, failed := syscall.Syscall(syscall.SYS_FCNTL, writer.Fd(), syscall.F_SETPIPE_SZ, pipeSize)
	if failed != 0 {
		return nil, fmt.Errorf("cannot make a small pipe: %w", failed)
	}
	return writer, nil
}

func (s *sidecar) log() string {
	text, _ := os.ReadFile(s.logPath())
	return string(text)
}

// hasEnded reports whether the process has ended.
func (s *sidecar) hasEnded() bool {
	select {
	case <-s.Ended():
		return true
	default:
		return false
	}
}

// ask returns the response of the admin listener to a GET.
func (s *sidecar) ask(path string) (string, error) {
	client := http.Client{Timeout: askLimit, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get("http://" + s.admin + path)
	if err != nil {
		return "", fmt.Errorf("the admin listener does not respond to GET %s", path)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return string(body), err
}

// metric sums the series of a metric, 0 without one.
func (s *sidecar) metric(name string) (sum float64) {
	text, _ := s.ask("/metrics")
	for line := range strings.Lines(text) {
		rest, isIt := strings.CutPrefix(line, name)
		if i := strings.LastIndexByte(rest, ' '); isIt && i >= 0 && (rest[0] == ' ' || rest[0] == '{') {
			value, _ := strconv.ParseFloat(strings.TrimSpace(rest[i:]), 64)
			sum += value
		}
	}
	return sum
}

// onDisk is the size of the state folder, in bytes.
func (s *sidecar) onDisk() (sum int64) {
	_ = filepath.WalkDir(s.statePath(), func(_ string, entry os.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		if info, err := entry.Info(); err == nil {
			if stat, isUnix := info.Sys().(*syscall.Stat_t); isUnix {
				sum += stat.Blocks * 512
			}
		}
		return nil
	})
	return sum
}
