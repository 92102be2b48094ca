package deploy

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A system call that the unit denies fails, and nothing says so.
func TestTheUnitAllowsTheSystemCallsOfAParticipantsWay(t *testing.T) {
	for _, program := range []string{"strace", "systemd-analyze"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("there is no %s here", program)
		}
	}
	if out, err := exec.CommandContext(t.Context(), "strace", "-o", "/dev/null", "true").CombinedOutput(); err != nil {
		t.Skipf("strace may not trace here: %v %s", err, out)
	}
	trace := filepath.Join(t.TempDir(), "trace")
	t.Run("traced", func(t *testing.T) {
		// With -D, the process that is started is sidehook's, not strace's.
		scrape(t, 204, "delivered", "strace", "-D", "-f", "-qq", "-o", trace)
	})
	allowed := allowedCalls(t)
	made := map[string]bool{}
	for _, match := range regexp.MustCompile(`(?m)^\d+ +([a-z_0-9]+)\(`).FindAllStringSubmatch(read(t, trace), -1) {
		if !made[match[1]] && !allowed[match[1]] {
			t.Errorf("the unit denies %s", match[1])
		}
		made[match[1]] = true
	}
	// These tell that the trace has all of it.
	for _, want := range []string{"accept4", "connect", "fdatasync", "flock", "write"} {
		if !made[want] {
			t.Errorf("%s is not in the trace, which has %v", want, made)
		}
	}
	if allowed["mount"] || allowed["reboot"] || allowed["ptrace"] {
		t.Error("the unit allows calls of administrators")
	}
}

// allowedCalls returns the system calls that the unit allows.
func allowedCalls(t *testing.T) map[string]bool {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "systemd-analyze", "--no-pager", "syscall-filter").Output()
	if err != nil {
		t.Fatal(err)
	}
	sets, set := map[string][]string{}, ""
	for line := range strings.Lines(string(out)) {
		name := strings.TrimSpace(line)
		switch {
		case name == "" || strings.HasPrefix(name, "#"):
		case strings.HasPrefix(line, "@"):
			set = name
		default:
			sets[set] = append(sets[set], name)
		}
	}
	var members func(name string) []string
	members = func(name string) (all []string) {
		for _, member := range sets[name] {
			if strings.HasPrefix(member, "@") {
				all = append(all, members(member)...)
			}
			all = append(all, member)
		}
		return all
	}
	allowed := map[string]bool{}
	put := func(name string, isAllowed bool) {
		for _, call := range members(name) {
			allowed[call] = isAllowed
		}
	}
	put("@default", true) // which systemd always allows
	for _, match := range regexp.MustCompile(`(?m)^SystemCallFilter=(~?)(.+)$`).FindAllStringSubmatch(read(t, "systemd/sidehook.service"), -1) {
		for name := range strings.FieldsSeq(match[2]) {
			if len(sets[name]) == 0 {
				t.Errorf("there is no set %s", name)
			}
			put(name, match[1] == "")
		}
	}
	return allowed
}
