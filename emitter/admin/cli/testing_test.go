package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"

	"github.com/sidehook/sidehook/emitter/admin"
	"github.com/sidehook/sidehook/emitter/deliver"
	"github.com/sidehook/sidehook/emitter/live"
	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/emitter/record"
	"github.com/sidehook/sidehook/rules/config"
	"github.com/sidehook/sidehook/rules/reload"
)

// server is an admin.Admin on a real port, with a real store that has msg_1, a
// pending delivery to crm. The targets are crm and erp.
type server struct {
	*admin.Admin
	t         *testing.T
	dir       string
	store     *outbox.Store
	stopStore func()
	stdin     string
	ready     error
	mayMove   error
	// forgotten lists the participants and surveys of requests to forget.
	forgotten []string
	erased    record.Forgotten
	forgetErr error
}

func newServer(t *testing.T) *server {
	t.Helper()
	return newServerIn(t, t.TempDir())
}

// newServerIn is newServer with a state directory that an earlier one may have left.
func newServerIn(t *testing.T, dir string) *server {
	t.Helper()
	return newServerOf(t, dir, nil)
}

// newServerOf is newServerIn for one of several replicas.
func newServerOf(t *testing.T, dir string, replicas *admin.Replicas) *server {
	t.Helper()
	logger := slog.New(slog.DiscardHandler)
	s := &server{t: t, dir: dir, erased: record.Forgotten{Journeys: 1, Answers: 2, Pending: 3}}
	registry := prometheus.NewRegistry()
	s.store = outbox.New(outbox.Options{Dir: dir, Metrics: registry, Logger: logger})
	s.Admin = admin.New(admin.Config{
		Listen: "127.0.0.1:0", Logger: logger, Metrics: registry, Store: s.store, Replicas: replicas,
		Ready: func(context.Context) error { return s.ready },
		Targets: func() []deliver.TargetStatus {
			return []deliver.TargetStatus{{Name: "crm", State: deliver.Up, Pending: 1}, {Name: "erp", State: deliver.Down}}
		},
		Activity: live.New(),
		Reloaded: func() reload.Outcome { return reload.Outcome{} },
		Try:      func(context.Context, *config.Config, io.Reader, io.Writer) error { return nil },
		MayMove:  func(from, to string) error { return s.mayMove },
		Forget: func(_ context.Context, participant, survey string) (record.Forgotten, error) {
			s.forgotten = append(s.forgotten, participant+" "+survey)
			return s.erased, s.forgetErr
		},
	})
	s.start()
	s.write(func(tx *outbox.Tx) {
		tx.Enqueue(outbox.Delivery{ID: "msg_1", Target: "crm", Rule: "all", Lane: "p", Survey: "fzd", Event: "completion", Body: []byte("personal"), Created: time.Now()})
	})
	return s
}

func (s *server) start() {
	s.t.Helper()
	if err := s.Listen(); err != nil {
		s.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var serving, storing sync.WaitGroup
	s.stopStore = func() {
		stop()
		storing.Wait()
	}
	storing.Go(func() {
		if err := s.store.Run(ctx); err != nil {
			s.t.Error(err)
		}
	})
	serving.Go(func() {
		if err := s.Serve(); err != nil {
			s.t.Error(err)
		}
	})
	s.t.Cleanup(func() {
		if err := s.Shutdown(context.Background()); err != nil {
			s.t.Error(err)
		}
		s.stopStore()
		serving.Wait()
	})
}

// run runs a command line against the server.
func (s *server) run(line string) (stdout string, err error) {
	s.t.Helper()
	return runCommand(s.t, s.stdin, append(strings.Fields(line), "--admin", s.Addr().String())...)
}

func runCommand(t *testing.T, stdin string, args ...string) (stdout string, err error) {
	t.Helper()
	root := &cobra.Command{Use: "sidehook", SilenceErrors: true, SilenceUsage: true}
	root.AddCommand(Commands()...)
	var out bytes.Buffer
	root.SetIn(strings.NewReader(stdin))
	root.SetOut(&out)
	root.SetErr(&out)
	root.SetArgs(args)
	err = root.ExecuteContext(t.Context())
	return out.String(), err
}

// expect checks what a command prints, or why it fails. Only show --body may
// print a body, and no line is longer than 80 characters.
func (s *server) expect(line string, want ...string) {
	s.t.Helper()
	out, err := s.run(line)
	if err != nil {
		out += err.Error()
	}
	for _, part := range want {
		if !strings.Contains(out, part) {
			s.t.Errorf("sidehook %s\n%s\nlacks %q", line, out, part)
		}
	}
	if strings.Contains(out, "personal") != strings.Contains(line, "--body") {
		s.t.Errorf("sidehook %s prints a body or lacks it:\n%s", line, out)
	}
	if err == nil && !strings.Contains(line, "--json") && !strings.Contains(line, "--csv") && !strings.Contains(line, "--wide") && !strings.Contains(line, "backup") {
		expectWidth(s.t, out)
	}
}

func expectWidth(t *testing.T, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > lineWidth {
			t.Errorf("a line of %d characters: %s", n, line)
		}
	}
}

func (s *server) write(fn func(*outbox.Tx)) {
	s.t.Helper()
	if err := s.store.Do(s.t.Context(), fn); err != nil {
		s.t.Fatal(err)
	}
}

// addDead adds msg_2 to msg_n, all dead, of two rules in turn.
func (s *server) addDead(n int) {
	s.t.Helper()
	s.write(func(tx *outbox.Tx) {
		for i := 2; i <= n; i++ {
			tx.Enqueue(outbox.Delivery{
				ID: fmt.Sprintf("msg_%d", i), Target: "crm", Rule: fmt.Sprintf("rule%d", i%2), Lane: fmt.Sprint("p", i), Owner: "p", Survey: "fzd",
				Event: "page_navigation", Body: []byte("personal"), Created: time.Now().Add(-time.Duration(i) * time.Hour),
			})
			tx.Dead(uint64(i), outbox.Attempt{At: time.Now(), Status: 500, Reason: "status 500", Excerpt: []byte("oh\x1b[2J\tno")})
		}
	})
}

// setToken makes the server require a token, from loopback too if it is wrong.
func (s *server) setToken(token string) {
	s.Apply(&config.Config{AdminToken: config.NewSecret(token)})
}
