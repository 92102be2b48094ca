package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// connections is how many clients there are at the same time.
const connections = 64

// bigBody is the size, in bytes, from which requests are computed from the bytes received.
const bigBody = 64 << 10

//go:embed report.lua
var reportScript string

//go:embed session.lua
var sessionScript string

// counted is the result of one run of wrk.
type counted struct {
	requests int
	took     time.Duration
	bytes    int
	p50, p99 time.Duration
	// failed requests got no response, refused ones a response of status 400 or more.
	failed, refused int
}

// writeScripts writes the scripts that wrk runs.
func (r *rig) writeScripts() error {
	var steps strings.Builder
	steps.WriteString("steps = {\n")
	for n, s := range r.session {
		steps.WriteString("  {")
		for _, piece := range strings.Split(s.request(n), participant) {
			steps.WriteString(luaString(piece) + ", ")
		}
		steps.WriteString("},\n")
	}
	steps.WriteString("}\n")
	for name, script := range map[string]string{
		"plain.lua":   reportScript,
		"session.lua": steps.String() + sessionScript + reportScript,
	} {
		if err := os.WriteFile(filepath.Join(r.dir, name), []byte(script), 0o644); err != nil {
			return fmt.Errorf("cannot write a script for wrk: %w", err)
		}
	}
	return nil
}

// luaString quotes a text for Lua.
func luaString(text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		fmt.Fprintf(&b, "\\%03d", c)
	}
	return `"` + b.String() + `"`
}

// wrk drives the server at an address with a workload.
func (r *rig) wrk(w workload, address string, duration time.Duration) (c counted, err error) {
	seconds := max(1, int(duration.Round(time.Second)/time.Second))
	wrk := exec.CommandContext(r.ctx, findTool("wrk"), "-t2", fmt.Sprintf("-c%d", connections), fmt.Sprintf("-d%ds", seconds),
		"--timeout", "10s", "-s", filepath.Join(r.dir, w.script), "http://"+address+w.path)
	wrk.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	output, err := wrk.CombinedOutput()
	if err != nil {
		return c, fmt.Errorf("wrk failed: %w\n%s", err, output)
	}
	_, line, isThere := bytes.Cut(output, []byte("measured "))
	fields := strings.Fields(string(line))
	if !isThere || len(fields) < 7 {
		return c, fmt.Errorf("cannot parse the output of wrk:\n%s", output)
	}
	var n [7]int
	for i := range n {
		if n[i], err = strconv.Atoi(fields[i]); err != nil {
			return c, fmt.Errorf("cannot parse the output of wrk: %w", err)
		}
	}
	micro := func(i int) time.Duration { return time.Duration(n[i]) * time.Microsecond }
	c = counted{requests: n[0], took: micro(1), bytes: n[2], p50: micro(3), p99: micro(4), failed: n[5], refused: n[6]}
	if w.size >= bigBody {
		// Many are in flight at the end, and have cost CPU time as well.
		c.requests = c.bytes / w.size
	}
	if c.requests == 0 {
		return c, fmt.Errorf("no request had a response:\n%s", output)
	}
	return c, nil
}
