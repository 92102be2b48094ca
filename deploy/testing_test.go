package deploy

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// root is the root of the repository.
const root = "../"

// secret signs webhooks in tests.
const secret = "whsec_c2VjcmV0cyBvZiB0ZXN0cyBhcmUga25vd24="

// folder is removed when all tests have ended.
var folder string

// binary builds sidehook once for all tests, and returns its path.
var binary = sync.OnceValues(func() (string, error) {
	path := filepath.Join(folder, "sidehook")
	build := exec.Command("go", "build", "-o", path, ".")
	build.Dir = root
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("cannot build sidehook: %w\n%s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	var err error
	if folder, err = os.MkdirTemp("", "sidehook-deploy-"); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(folder)
	os.Exit(code)
}

// sidehook runs a command of the binary and returns what it prints.
func sidehook(t *testing.T, args ...string) (string, error) {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), path, args...).CombinedOutput()
	return string(out), err
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// hosts counts the hosts that freeAddresses has used.
var hosts atomic.Uint32

// freeAddresses returns unused addresses of a host of loopback that no other call
// returns, and that the system takes no port of for outgoing connections.
func freeAddresses(t *testing.T, n int) (list []string) {
	t.Helper()
	host := fmt.Sprintf("127.%d.1.%d", 1+os.Getpid()%250, hosts.Add(1))
	for range n {
		listener, err := net.Listen("tcp", host+":0")
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close() // only now, or the next could have the same port
		list = append(list, listener.Addr().String())
	}
	return list
}

// start starts a command, ends it with the test, and returns what it prints.
func start(t *testing.T, cmd *exec.Cmd) *lines {
	t.Helper()
	log := &lines{}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGINT)
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			_ = cmd.Process.Kill()
			t.Error("the process did not end")
		}
		if t.Failed() {
			t.Logf("log:\n%s", log)
		}
	})
	return log
}

// lines is a log that a process writes while a test reads it.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write implements io.Writer.
func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// get returns the response to a GET.
func get(ctx context.Context, url string) (status int, body string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, "", err
	}
	return do(request)
}

// do returns the response to a request.
func do(request *http.Request) (status int, body string, err error) {
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	return response.StatusCode, string(content), err
}

// await asks url until what it responds is as wanted, and fails after 20 seconds.
func await(t *testing.T, url string, isWanted func(status int, body string) bool) {
	t.Helper()
	var status int
	var body string
	var err error
	if !comes(t, func(ctx context.Context) bool {
		status, body, err = get(ctx, url)
		return err == nil && isWanted(status, body)
	}) {
		t.Fatalf("%s responds %d %q (%v)", url, status, body, err)
	}
}

// awaitPrinted returns the first text that a pattern finds in what a command prints,
// and fails after 20 seconds.
func awaitPrinted(t *testing.T, by *lines, pattern *regexp.Regexp) (text string) {
	t.Helper()
	if !comes(t, func(context.Context) bool { text = pattern.FindString(by.String()); return text != "" }) {
		t.Fatalf("no %s in %q", pattern, by)
	}
	return text
}

// comes reports whether something is so within 20 seconds.
func comes(t *testing.T, isSo func(ctx context.Context) bool) bool {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for !isSo(ctx) {
		select {
		case <-ctx.Done():
			return false
		case <-time.After(20 * time.Millisecond):
		}
	}
	return true
}
