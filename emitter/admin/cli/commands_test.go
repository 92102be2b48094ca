package cli

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

const token = "canary-token-0123456789"

func TestTheTokenIsReadFromAFileOrTheEnvironment(t *testing.T) {
	s := newServer(t)
	s.setToken(token)
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("THE_TOKEN", "a wrong one")
	s.expect("targets --token file:"+file, "crm")
	s.expect("targets --token env:THE_TOKEN", "wrong admin_token", "--token")
	s.expect("targets --token env:NO_TOKEN", "NO_TOKEN is not set")
	if _, err := s.run("targets --token " + token); err == nil || strings.Contains(err.Error(), token) {
		t.Errorf("a token on the command line: %v", err)
	}
	t.Setenv("SIDEHOOK_ADMIN_TOKEN", token+"\n")
	s.expect("targets", "crm")
}

func TestTheAddressComesFromTheFlagOrTheEnvironment(t *testing.T) {
	s := newServer(t)
	t.Setenv("SIDEHOOK_ADMIN", s.Addr().String())
	for _, line := range []string{"targets", "health", "deliveries list", "forget p"} {
		if _, err := runCommand(t, "", strings.Fields(line)...); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
	t.Setenv("SIDEHOOK_ADMIN", "127.0.0.1:1")
	s.expect("targets", "crm")
}

func TestAnAddressWhereNoSidehookListensIsReported(t *testing.T) {
	f := func(address, want string) {
		t.Helper()
		for _, command := range []string{"targets", "health"} {
			if _, err := runCommand(t, "", command, "--admin", address); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %v, want %q", command, err, want)
			}
		}
	}
	f("127.0.0.1:1", "cannot connect to sidehook at 127.0.0.1:1")
	f(":1", "cannot connect to sidehook at 127.0.0.1:1")
	f("9090", "must be host:port")
}

func TestAStoreThatIsClosedIsReported(t *testing.T) {
	s := newServer(t)
	s.stopStore()
	for _, line := range []string{"forget p-1", "deliveries list", "backup " + t.TempDir() + "/copy"} {
		s.expect(line, "503", "the store is unavailable: ")
	}
}

func TestHealthReportsWhatIsWrong(t *testing.T) {
	s := newServer(t)
	s.expect("health", "ok\n")
	s.expect("health --json", `"healthy":true,"message":"ok"}`)
	s.ready = errors.New("cannot connect to the app: connection refused")
	s.expect("health", "is unhealthy: /ready: cannot connect to the app: connection refused")
	s.expect("health --json", `"healthy":false,"message":"sidehook at `, "/ready: cannot connect to the app")
	s.ready = nil
	s.Drain()
	s.expect("health", "/ready: shutting down")
	if _, err := runCommand(t, "", "health", s.Addr().String()); err == nil || !strings.Contains(err.Error(), "shutting down") {
		t.Errorf("with the address as an argument: %v", err)
	}
	s.expect("health 127.0.0.1:1", "give one address")
	s.stopStore()
}

func TestNobodyMissesThatNothingIsRecorded(t *testing.T) {
	s := newServer(t)
	s.stopStore()
	s.expect("health", "is serving, but not recording: stopped")
	s.expect("health --json", `"healthy":false`, "not recording")
	s.expect("targets", "NOT RECORDING: stopped\n\nNAME")
	s.ready = errors.New("cannot connect to the app")
	s.expect("health", "cannot connect to the app\nnot recording: stopped")
	s.expect("targets", "NOT RECORDING: stopped\n\nNAME")
}

func TestJSONIsPrintedByEveryCommandThatPrintsData(t *testing.T) {
	s := newServer(t)
	lines := []string{
		"targets", "targets list", "targets disable crm", "deliveries list", "deliveries show msg_1", "deliveries redeliver --state dead",
		"deliveries discard --state dead", "forget p", "health", "backup " + filepath.Join(t.TempDir(), "copy"),
	}
	for _, line := range lines {
		if out, err := s.run(line + " --json"); err != nil || !json.Valid([]byte(out)) {
			t.Errorf("%s: %q, %v", line, out, err)
		}
	}
}

func TestEveryCommandHasAHelpWithExamplesThatFitsIn80Columns(t *testing.T) {
	var visit func(path []string, cmd *cobra.Command)
	visit = func(path []string, cmd *cobra.Command) {
		path = append(path, cmd.Name())
		out, err := runCommand(t, "", append(path, "--help")...)
		if err != nil || !strings.Contains(out, "Examples:\n  sidehook ") || !strings.Contains(out, "--admin") || cmd.Short == "" {
			t.Errorf("%q: %v\n%s", path, err, out)
		}
		expectWidth(t, out)
		for _, child := range cmd.Commands() {
			visit(path, child)
		}
	}
	for _, command := range Commands() {
		visit(nil, command)
	}
}
