package check

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestStateThatCannotBeWrittenIsAWarning(t *testing.T) {
	t.Setenv("CHECK_SECRET", "a secret that is not shown")
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	f := func(state, want string) {
		t.Helper()
		out, failure := check(t, strings.Replace(good, "{", "{state: '"+state+"', ", 1), "-")
		if failure != "" {
			t.Fatal(failure)
		}
		if got := strings.Contains(out, "\nwarning: state "+state+" cannot be written by user "); got != (want != "") || !strings.Contains(out, want) {
			t.Errorf("%s: output %s, want %q", state, out, want)
		}
	}

	f(dir, "")
	f(filepath.Join(dir, "new", "folder"), "")
	f(file, "is not a directory")
	f(filepath.Join(file, "state"), "not a directory")
	f("/proc/sidehook", "; there, sidehook would serve participants, but not record")
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("%d files are left, want the one from before", len(left))
	}
}
