package demo

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// demonstrate runs the command with run and returns its output and its error.
func demonstrate(t *testing.T, ctx context.Context, run Run) (string, error) {
	t.Helper()
	command := Command(Parts{Run: run, NewReceiver: func(Reception) http.Handler { return http.NotFoundHandler() }})
	command.SilenceErrors, command.SilenceUsage = true, true
	var out bytes.Buffer
	command.SetOut(&out)
	command.SetErr(&out)
	command.SetArgs([]string{}) // nil would mean those of the test itself
	err := command.ExecuteContext(ctx)
	return out.String(), err
}

// temporaryFolder makes a folder of its own for what is temporary.
func temporaryFolder(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	t.Setenv("TMPDIR", folder)
	return folder
}

func TestTheDemoPrintsTheAddressesThatItGot(t *testing.T) {
	folder := temporaryFolder(t)
	ctx, stop := context.WithCancel(t.Context())
	out, err := demonstrate(t, ctx, func(ctx, _ context.Context, s Sidecar) error {
		s.Serving(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8081}, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9091})
		stop()
		<-ctx.Done()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"listen: 127.0.0.1:8081\n", "admin: 127.0.0.1:9091\n", "survey   http://127.0.0.1:8081/survey/fzd\n", "console  http://127.0.0.1:9091/\n", "SIDEHOOK_ADMIN=127.0.0.1:9091\n", "answers  " + folder} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not print %q:\n%s", want, out)
		}
	}
}

func TestTheDemoRemovesItsFolderHoweverItEnds(t *testing.T) {
	folder := temporaryFolder(t)
	f := func(name string, want error, run Run) {
		t.Helper()
		ctx, stop := context.WithCancel(t.Context())
		stop()
		_, err := demonstrate(t, ctx, func(ctx, abort context.Context, s Sidecar) error {
			if entries, _ := os.ReadDir(folder); len(entries) != 1 {
				t.Errorf("%s: while it runs there are %v", name, entries)
			}
			return run(ctx, abort, s)
		})
		if !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", name, err, want)
		}
		if entries, _ := os.ReadDir(folder); len(entries) != 0 {
			t.Errorf("%s: it leaves %v", name, entries)
		}
	}
	failure := errors.New("cannot listen")
	f("it is stopped", nil, func(ctx, _ context.Context, _ Sidecar) error { <-ctx.Done(); return nil })
	f("it cannot start", failure, func(context.Context, context.Context, Sidecar) error { return failure })
}

func TestTheDemoReportsThatItWaitsForRequestsInFlight(t *testing.T) {
	temporaryFolder(t)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	out, err := demonstrate(t, ctx, func(ctx, _ context.Context, _ Sidecar) error {
		<-ctx.Done()
		time.Sleep(3 * drainNotice) // a request that takes as long
		return nil
	})
	if err != nil || !strings.Contains(out, "Waiting for requests in flight; Ctrl-C again cuts them off.") {
		t.Errorf("it prints %q (%v)", out, err)
	}
}
