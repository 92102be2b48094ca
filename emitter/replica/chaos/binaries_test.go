package chaos

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

const (
	// binariesVariable names a folder that has the binaries already: sidehook, and
	// nats-server and sidehook-shifted where they are needed.
	binariesVariable = "SIDEHOOK_CHAOS_BINARIES"
	// clockVariable is by how many seconds the clock of sidehook-shifted is off.
	clockVariable = "SIDEHOOK_CHAOS_CLOCK"
)

// binaries are the programs of a run.
type binaries struct{ sidehook, shifted, server string }

// build builds what a run of a size needs, into a folder.
func build(ctx context.Context, dir string, s size) (b binaries, err error) {
	folder := cmp.Or(os.Getenv(binariesVariable), dir)
	b = binaries{filepath.Join(folder, "sidehook"), filepath.Join(folder, "sidehook-shifted"), filepath.Join(folder, "nats-server")}
	const main = "github.com/sidehook/sidehook"
	if err := buildProgram(ctx, b.sidehook, main); err != nil || s.servers == 0 {
		return b, err
	}
	if err := buildProgram(ctx, b.server, "github.com/nats-io/nats-server/v2"); err != nil {
		return b, err
	}
	overlay, err := shiftedClock(ctx, dir)
	if err != nil {
		return b, err
	}
	return b, buildProgram(ctx, b.shifted, "-overlay", overlay, main)
}

// buildProgram builds a program unless it is there.
func buildProgram(ctx context.Context, path string, args ...string) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	cmd := exec.CommandContext(ctx, "go", append([]string{"build", "-o", path}, args...)...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("cannot build %s: %w\n%s", filepath.Base(path), err, out)
	}
	return nil
}

// shiftedClock writes an overlay with which time.Now is off by clockVariable. The
// monotonic clock stays right, as on a machine whose date was set wrongly.
func shiftedClock(ctx context.Context, dir string) (overlay string, err error) {
	root, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return "", fmt.Errorf("cannot find the standard library: %w", err)
	}
	original := filepath.Join(strings.TrimSpace(string(root)), "src", "time", "time.go")
	text, err := os.ReadFile(original)
	if err != nil {
		return "", err
	}
	const read = "sec, nsec, mono := runtimeNow()\n"
	now := strings.Index(string(text), "func Now() Time {\n\t"+read)
	if now < 0 {
		return "", fmt.Errorf("time.Now of %s is not as expected: adapt shiftedClock", runtime.Version())
	}
	shifted := strings.Replace(string(text[now:]), read, read+"\tsec += chaosShift\n", 1) + `
// chaosShift is in seconds.
var chaosShift = func() (n int64) {
	text, _ := syscall.Getenv("` + clockVariable + `")
	for _, digit := range text {
		n = n*10 + int64(digit-'0')
	}
	return n
}()
`
	shifted = strings.Replace(string(text[:now]), "import (\n", "import (\n\t\"syscall\"\n", 1) + shifted
	path := filepath.Join(dir, "time.go.txt")
	if err := os.WriteFile(path, []byte(shifted), 0o600); err != nil {
		return "", err
	}
	list, err := json.Marshal(map[string]map[string]string{"Replace": {original: path}})
	if err != nil {
		return "", err
	}
	overlay = filepath.Join(dir, "overlay.json")
	return overlay, os.WriteFile(overlay, list, 0o600)
}
