package descriptors

import (
	"math"
	"os"
	"path/filepath"
	"testing"
)

func TestLimitOfMemoryIsReadFromTheCgroup(t *testing.T) {
	f := func(want int64, contents ...string) {
		t.Helper()
		paths := []string{filepath.Join(t.TempDir(), "missing")}
		for _, content := range contents {
			path := filepath.Join(t.TempDir(), "limit")
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			paths = append(paths, path)
		}
		if got := lowest(paths); got != want {
			t.Errorf("%q: %d, want %d", contents, got, want)
		}
	}
	f(math.MaxInt64)
	f(math.MaxInt64, "max\n")
	f(128<<20, "134217728\n")
	f(math.MaxInt64, "0\n")
	f(1<<20, "max\n", "1048576\n")
	f(9223372036854771712, "9223372036854771712\n") // version 1 without a limit
	if got := Memory(); got <= 0 {
		t.Errorf("the limit is %d", got)
	}
}
