package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// tick is the unit of CPU time in /proc on every Linux that Go knows.
	tick = 10 * time.Millisecond
	// readyLimit bounds the time until a server accepts connections.
	readyLimit = 10 * time.Second
)

// process is a program that was started, with its children: a process group.
type process struct {
	cmd  *exec.Cmd
	log  string
	done chan struct{}
}

// usage is what a process group has used since its start.
type usage struct {
	cpu  time.Duration
	peak int // bytes
}

// start starts a program whose output goes to a file in dir.
func start(dir string, env []string, command ...string) (*process, error) {
	name := filepath.Base(command[0])
	log, err := os.CreateTemp(dir, name+"-*.log")
	if err != nil {
		return nil, fmt.Errorf("cannot make a log for %s: %w", name, err)
	}
	defer log.Close()
	p := &process{cmd: exec.Command(command[0], command[1:]...), log: log.Name(), done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("cannot start %s: %w", name, err)
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// await waits until the process accepts connections.
func (p *process) await(ctx context.Context, address string) error {
	for deadline := time.Now().Add(readyLimit); time.Now().Before(deadline); {
		conn, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-p.done:
			return p.failed("ended before it accepted a connection")
		case <-time.After(5 * time.Millisecond):
		}
	}
	return p.failed(fmt.Sprintf("accepts no connection after %v", readyLimit))
}

func (p *process) failed(what string) error {
	output, err := os.ReadFile(p.log)
	return errors.Join(fmt.Errorf("%s %s\n%s", filepath.Base(p.cmd.Path), what, output), err)
}

// stop kills the process and its children, and waits for it.
func (p *process) stop() {
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	<-p.done
}

// usage adds up the group.
func (p *process) usage() (u usage, err error) {
	for _, pid := range p.pids() {
		fields, err := statFields(pid)
		if err != nil {
			return u, err
		}
		user, _ := strconv.Atoi(fields[11])
		system, _ := strconv.Atoi(fields[12])
		u.cpu += time.Duration(user+system) * tick
		u.peak += memoryOf(pid, "VmHWM:")
	}
	return u, nil
}

// pids are the processes of the group.
func (p *process) pids() (pids []string) {
	group := strconv.Itoa(p.cmd.Process.Pid)
	all, _ := filepath.Glob("/proc/[0-9]*")
	for _, path := range all {
		pid := filepath.Base(path)
		if fields, err := statFields(pid); err == nil && fields[2] == group {
			pids = append(pids, pid)
		}
	}
	return pids
}

// statFields are the fields of /proc/PID/stat from the state on, which is the
// third one.
func statFields(pid string) ([]string, error) {
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return nil, err
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return nil, fmt.Errorf("cannot parse /proc/%s/stat", pid)
	}
	return fields, nil
}

// memory is the anonymous memory of the group (RssAnon), in bytes.
func (p *process) memory() (n int) {
	for _, pid := range p.pids() {
		n += memoryOf(pid, "RssAnon:")
	}
	return n
}

// memoryOf is a size in /proc/PID/status, in bytes.
func memoryOf(pid, name string) int {
	status, _ := os.ReadFile("/proc/" + pid + "/status")
	_, rest, _ := strings.Cut(string(status), name)
	line, _, _ := strings.Cut(rest, " kB")
	kilobytes, _ := strconv.Atoi(strings.TrimSpace(line))
	return kilobytes << 10
}

// freeAddress returns an unused address of loopback.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("cannot find a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().String(), nil
}
