package rig

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of CPU time in /proc on every Linux that Go knows.
const tick = 10 * time.Millisecond

// RssAnon is the anonymous memory of the process, in bytes; 0 once it has ended.
func (p *Process) RssAnon() int64 { return p.Proc("status", "RssAnon:") << 10 }

// Proc reads the number after a name in a file of /proc/PID, 0 without it.
func (p *Process) Proc(file, name string) (n int64) {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/%s", p.cmd.Process.Pid, file))
	for line := range strings.Lines(string(text)) {
		if rest, isIt := strings.CutPrefix(line, name); isIt {
			_, _ = fmt.Sscan(rest, &n)
			return n
		}
	}
	return 0
}

// CPU is the CPU time that the process has used.
func (p *Process) CPU() time.Duration {
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * tick
}
