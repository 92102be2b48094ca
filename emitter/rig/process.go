package rig

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// Process is a running sidehook. Use Start to make one.
type Process struct {
	cmd  *exec.Cmd
	done chan struct{}
}

// Build compiles sidehook, statically as it is released, to a file. The working
// folder must be inside the source tree.
func Build(ctx context.Context, path string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, "github.com/sidehook/sidehook")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("cannot build sidehook; run this inside its tree: %w\n%s", err, out)
	}
	return nil
}

// Start starts the command, which must not have been started. It sets the
// command's SysProcAttr.
func Start(cmd *exec.Cmd) (*Process, error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &Process{cmd: cmd, done: make(chan struct{})}
	go func() {
		_ = cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// Await waits until a TCP address of the process accepts connections, and fails
// at the deadline or if the process ends before.
func (p *Process) Await(address string, deadline time.Time) error {
	for time.Now().Before(deadline) {
		conn, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-p.done:
			return errors.New("sidehook ended before it served")
		case <-time.After(time.Millisecond):
		}
	}
	return errors.New("sidehook does not serve in time")
}

// Ended returns a channel that is closed once the process has ended.
func (p *Process) Ended() <-chan struct{} { return p.done }

// Exit describes how an ended process ended, as "exit status 1" or "signal: killed".
func (p *Process) Exit() string {
	<-p.done
	return p.cmd.ProcessState.String()
}

// Signal sends a signal to the process, if it is still running.
func (p *Process) Signal(signal os.Signal) { _ = p.cmd.Process.Signal(signal) }

// Stop ends the process as an operator does, with Ctrl-C, and kills it if it is still
// running after the limit. It is an error if the exit status is not 0.
func (p *Process) Stop(limit time.Duration) error {
	p.Signal(os.Interrupt)
	select {
	case <-p.done:
	case <-time.After(limit):
		p.Kill()
		return fmt.Errorf("sidehook has not stopped after %v", limit)
	}
	if !p.cmd.ProcessState.Success() {
		return fmt.Errorf("sidehook ended with %s", p.Exit())
	}
	return nil
}

// Kill ends the process at once.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}
