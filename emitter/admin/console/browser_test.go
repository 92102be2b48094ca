package console

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sidehook/sidehook/emitter/live"
)

const (
	// browserFolder is the environment variable with a copy of testdata/browser in
	// which npm ci has been run.
	browserFolder = "SIDEHOOK_BROWSER"
	// screenshotFolder is the environment variable with the folder for screenshots,
	// which are only made if it is set.
	screenshotFolder = "SIDEHOOK_SCREENSHOTS"
)

func TestConsoleWorksInABrowser(t *testing.T) {
	folder := os.Getenv(browserFolder)
	if folder == "" {
		t.Skipf("%s is not set: see .ci/run", browserFolder)
	}
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal(err)
	}
	hostileServer := newServer(t)
	keepHappening(t, hostileServer.activity)
	demo := startDemo(t)
	input, err := json.Marshal(map[string]string{
		"hostile": "http://" + hostileServer.admin.Addr().String(), "token": adminToken,
		"demo": demo.console, "survey": demo.survey, "chromium": chromium, "screenshots": os.Getenv(screenshotFolder),
	})
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command("node", filepath.Join(folder, "console.mjs"))
	command.Stdin = bytes.NewReader(input)
	output, err := command.CombinedOutput()
	t.Logf("\n%s", output)
	if err != nil {
		t.Error(err)
	}
}

// keepHappening notes a hostile attempt again and again, until the test ends.
func keepHappening(t *testing.T, activity *live.Activity) {
	t.Helper()
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		ticker := time.NewTicker(500 * time.Millisecond)
		defer ticker.Stop()
		for {
			activity.Attempted(live.Entry{Event: hostile, Survey: hostile, Target: hostile, Delivery: hostile, Attempt: 7, Outcome: hostile, Reason: hostile})
			select {
			case <-stop:
				return
			case <-ticker.C:
			}
		}
	}()
	t.Cleanup(func() {
		close(stop)
		<-stopped
	})
}

// demo is a running `sidehook demo`.
type demo struct{ survey, console string }

// startDemo builds sidehook and runs its demo, until the test ends.
func startDemo(t *testing.T) demo {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "sidehook")
	if output, err := exec.Command("go", "build", "-o", binary, "github.com/sidehook/sidehook").CombinedOutput(); err != nil {
		t.Fatalf("cannot build sidehook: %v\n%s", err, output)
	}
	command := exec.Command(binary, "demo")
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Signal(syscall.SIGTERM)
		_ = command.Wait()
	})
	var started demo
	var printed strings.Builder
	lines := bufio.NewScanner(output)
	for (started.survey == "" || started.console == "") && lines.Scan() {
		printed.WriteString(lines.Text() + "\n")
		if found := regexp.MustCompile(`http://\S+/survey/\w+`).FindString(lines.Text()); found != "" {
			started.survey = found
		}
		if found := regexp.MustCompile(`^admin: (\S+)`).FindStringSubmatch(lines.Text()); found != nil {
			started.console = "http://" + found[1]
		}
	}
	if started.survey == "" || started.console == "" {
		t.Fatalf("the demo does not say where it is:\n%s", printed.String())
	}
	go func() { // what it prints must not fill the pipe
		for lines.Scan() { //nolint:revive // nothing to do with it
		}
	}()
	return started
}
