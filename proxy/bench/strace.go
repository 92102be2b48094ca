package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// traced is how long a proxy is driven under strace.
	traced = 2 * time.Second
	// attaching is how long strace gets to attach to all threads.
	attaching = 300 * time.Millisecond
	// mostCalls is how many system calls are printed by name.
	mostCalls = 8
)

// call is a system call and how often it was made.
type call struct {
	name  string
	count int
}

// countCalls prints the system calls for each request of a workload.
func (r *rig) countCalls(w workload, peers []peer, out io.Writer) error {
	fmt.Fprintf(out, "system calls for each request (%s):\n", w.name)
	t := newTable(out)
	for _, p := range peers {
		calls, requests, err := r.trace(w, p)
		if err != nil {
			return fmt.Errorf("%s, %s: %w", w.name, p.name, err)
		}
		t.row(append([]string{p.name}, perRequest(calls, requests)...)...)
	}
	t.end()
	return nil
}

// trace drives a peer under strace.
func (r *rig) trace(w workload, p peer) (calls []call, requests int, err error) {
	proxy, err := r.launch(r.ctx, p, r.appAt)
	if err != nil {
		return nil, 0, err
	}
	defer proxy.end()
	if err := proxy.request(); err != nil {
		return nil, 0, err
	}
	counts := filepath.Join(proxy.Dir, "calls")
	command := []string{findTool("strace"), "-f", "-c", "-U", "name,calls", "-o", counts}
	for _, pid := range proxy.pids() {
		command = append(command, "-p", pid)
	}
	tracer, err := start(proxy.Dir, nil, command...)
	if err != nil {
		return nil, 0, err
	}
	defer tracer.stop()
	select {
	case <-tracer.done:
		return nil, 0, tracer.failed("cannot attach; run this as root, or set kernel.yama.ptrace_scope to 0")
	case <-time.After(attaching):
	}
	c, err := r.wrk(w, proxy.Listen, min(traced, r.options.duration))
	if err != nil {
		return nil, 0, err
	}
	if err := interrupt(tracer); err != nil {
		return nil, 0, err
	}
	calls, err = readCalls(counts)
	if err == nil && len(calls) == 0 {
		err = errors.New("strace counted no system call")
	}
	return calls, c.requests, err
}

// interrupt makes strace write its counts and exit.
func interrupt(p *process) error {
	if err := syscall.Kill(p.cmd.Process.Pid, syscall.SIGINT); err != nil {
		return fmt.Errorf("cannot stop strace: %w", err)
	}
	select {
	case <-p.done:
		return nil
	case <-time.After(readyLimit):
		return p.failed("does not end")
	}
}

// readCalls reads strace's summary: a name and a number on each line, between rules.
func readCalls(path string) (calls []call, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read the counts of strace: %w", err)
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) != 2 || fields[0] == "total" {
			continue
		}
		if n, err := strconv.Atoi(fields[1]); err == nil {
			calls = append(calls, call{fields[0], n})
		}
	}
	slices.SortFunc(calls, func(a, b call) int { return b.count - a.count })
	return calls, nil
}

// perRequest returns the calls per request: the sum, then the most frequent ones.
func perRequest(calls []call, requests int) (cells []string) {
	sum := 0
	for _, c := range calls {
		sum += c.count
		if len(cells) < mostCalls {
			cells = append(cells, fmt.Sprintf("%s %.2f", c.name, float64(c.count)/float64(requests)))
		}
	}
	return append([]string{fmt.Sprintf("%.2f:", float64(sum)/float64(requests))}, cells...)
}
