package console

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sidehook/sidehook/emitter/admin"
	"github.com/sidehook/sidehook/emitter/deliver"
	"github.com/sidehook/sidehook/emitter/live"
	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/emitter/record"
	"github.com/sidehook/sidehook/rules/config"
	"github.com/sidehook/sidehook/rules/funnel"
	"github.com/sidehook/sidehook/rules/reload"
)

const (
	adminToken = "canary-token-0123456789"
	// hostile is what strangers write where they can.
	hostile = `<script>alert(1)</script>"'><img src=x onerror=alert(2)>`
)

// server is a console on a real port, with a real store that has a pending delivery
// msg_1, whose body, survey and failure are hostile, and a dead one, msg_2.
type server struct {
	t        *testing.T
	admin    *admin.Admin
	store    *outbox.Store
	activity *live.Activity
	log      *lockedBuffer
	reloaded reload.Outcome
	// cookies are sent with every request.
	cookies []*http.Cookie
}

// lockedBuffer is a buffer that a log writes while a test reads it.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newServer(t *testing.T) *server {
	t.Helper()
	return newServerOf(t, nil)
}

// newServerOf is newServer for one of several replicas.
func newServerOf(t *testing.T, replicas *admin.Replicas) *server {
	t.Helper()
	s := &server{t: t, log: &lockedBuffer{}, activity: live.New()}
	logger := slog.New(slog.NewTextHandler(s.log, nil))
	registry := prometheus.NewRegistry()
	s.store = outbox.New(outbox.Options{Dir: t.TempDir(), Metrics: registry, Logger: logger})
	s.admin = admin.New(admin.Config{
		Listen: "127.0.0.1:0", Logger: logger, Metrics: registry, Store: s.store, Activity: s.activity, Version: "test", File: "config.yaml",
		Ready: func(context.Context) error { return nil },
		Targets: func() []deliver.TargetStatus {
			return []deliver.TargetStatus{{Name: "crm", State: deliver.Down, LastError: hostile, Pending: 1, Dead: 1}, {Name: "erp", State: deliver.Up}}
		},
		MayMove:  func(from, to string) error { return nil },
		Forget:   func(context.Context, string, string) (record.Forgotten, error) { return record.Forgotten{}, nil },
		Reloaded: func() reload.Outcome { return s.reloaded },
		Try: func(_ context.Context, _ *config.Config, har io.Reader, report io.Writer) error {
			_, err := io.Copy(report, har)
			return err
		},
		Console: New, Replicas: replicas,
	})
	address, err := config.ParseURL("http://user:password@127.0.0.1:9/hooks")
	if err != nil {
		t.Fatal(err)
	}
	target := config.Target{URL: address, Format: config.FormatDecsys}
	s.admin.Apply(&config.Config{AdminToken: config.NewSecret(adminToken), Targets: map[string]config.Target{"crm": target, "erp": target}})
	if err := s.admin.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := s.store.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	running.Go(func() {
		if err := s.admin.Serve(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		if err := s.admin.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		stop()
		running.Wait()
	})
	s.enqueue()
	return s
}

func (s *server) enqueue() {
	s.t.Helper()
	now := time.Now()
	delivery := outbox.Delivery{Target: "crm", Rule: "all", Survey: hostile, Event: "completion", Body: []byte(hostile), ContentType: "application/json", Created: now}
	err := s.store.Do(s.t.Context(), func(tx *outbox.Tx) {
		for _, id := range []string{"msg_1", "msg_2"} {
			delivery.ID, delivery.Lane = id, id
			tx.Enqueue(delivery)
		}
		countHostile(tx, now)
		tx.Dead(2, outbox.Attempt{At: now, Status: 500, Reason: "status 500", Excerpt: []byte(hostile)})
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// countHostile counts two participants of a survey with hostile names.
func countHostile(tx *outbox.Tx, at time.Time) {
	survey := outbox.SurveyNames{ID: hostile, Instance: "a/b", FriendlyID: hostile}
	tx.Count(outbox.Count{What: funnel.Started, Survey: survey, At: at.AddDate(0, 0, -100)})
	for range 2 {
		tx.Count(outbox.Count{What: funnel.Started, Survey: survey, At: at})
		for n, name := range []string{hostile, "Reasons", ""} {
			page := &outbox.CountedPage{ID: fmt.Sprint(hostile, n), Number: n + 1, Name: name}
			tx.Count(outbox.Count{What: funnel.Reached, Survey: survey, Page: page, At: at, IsPersonal: func() bool { return false }})
		}
	}
	left := &outbox.CountedPage{ID: fmt.Sprint(hostile, 0)}
	tx.Count(outbox.Count{What: funnel.Left, Survey: survey, Page: left, At: at, Took: new(42 * time.Second)})
	tx.Count(outbox.Count{What: funnel.Abandoned, Survey: survey, At: at})
	tx.Count(outbox.Count{What: funnel.Completed, Survey: survey, At: at, Took: new(5 * time.Minute)})
}

// get requests a page, which edit may change first.
func (s *server) get(path string, edit func(*http.Request)) (status int, page string) {
	s.t.Helper()
	return s.send(http.MethodGet, path, "", nil, edit)
}

// post sends a form with the token of the page at from.
func (s *server) post(path string, form url.Values, from string, edit func(*http.Request)) (status int, page string) {
	s.t.Helper()
	_, shown := s.get(from, nil)
	if found := regexp.MustCompile(`name="token" value="([^"]+)"`).FindStringSubmatch(shown); found != nil {
		form.Set("token", found[1])
	}
	return s.send(http.MethodPost, path, "application/x-www-form-urlencoded", strings.NewReader(form.Encode()), edit)
}

func (s *server) send(method, path, contentType string, body io.Reader, edit func(*http.Request)) (status int, page string) {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), method, "http://"+s.admin.Addr().String()+path, body)
	if err != nil {
		s.t.Fatal(err)
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	for _, cookie := range s.cookies {
		request.AddCookie(cookie)
	}
	if edit != nil {
		edit(request)
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	if len(response.Cookies()) > 0 {
		s.cookies = response.Cookies()
	}
	if got := response.Header.Get("Content-Security-Policy"); got != policy {
		s.t.Errorf("%s %s: Content-Security-Policy %q", method, path, got)
	}
	isCSV := strings.HasPrefix(response.Header.Get("Content-Type"), "text/csv")
	if !isCSV && (strings.Contains(string(text), "<script>") || strings.Contains(string(text), "<img")) || strings.Contains(string(text), adminToken) {
		s.t.Errorf("%s %s has hostile text as HTML, or the token:\n%s", method, path, text)
	}
	return response.StatusCode, string(text)
}

// elsewhere makes a request one from another machine, as far as its Host goes.
func elsewhere(r *http.Request) { r.Host = "sidehook.example.org:9090" }
