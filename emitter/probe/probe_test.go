package probe

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sidehook/sidehook/emitter/send"
	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/check"
	"github.com/sidehook/sidehook/rules/config"
)

// expect checks what a finding says.
func expect(t *testing.T, got check.Finding, verdict check.Verdict, why string) {
	t.Helper()
	if got.Verdict != verdict || !strings.Contains(got.Why, why) || (got.Todo == "") != (verdict == check.Good) {
		t.Errorf("got %+v, want %s because of %q", got, verdict, why)
	}
}

func TestATargetIsConnectedToAndGetsNoPost(t *testing.T) {
	a := newAuthority(t)
	offset := time.Duration(0)
	handler := func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodHead || r.URL.String() != "/" || r.Header.Get("Authorization") != "" || r.ContentLength != 0 {
			t.Errorf("the target got %s %s", r.Method, r.URL)
		}
		w.Header().Set("Date", time.Now().Add(offset).UTC().Format(http.TimeFormat))
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
	f := func(address string, change func(*config.Target), verdict check.Verdict, why string) {
		t.Helper()
		url, err := config.ParseURL(strings.Replace(address, "://", "://user:canary@", 1) + "/canary?canary=1")
		if err != nil {
			t.Fatal(err)
		}
		var settings config.Target
		settings.SetDefaults()
		settings.URL, settings.TLS.CA = url, a.file
		if change != nil {
			change(&settings)
		}
		got, _ := target(t.Context(), "crm", settings, "test")
		expect(t, got, verdict, why)
		if strings.Contains(fmt.Sprint(got), "canary") {
			t.Errorf("%+v shows a URL's secrets", got)
		}
	}
	secured := func(ip string, end time.Time, isOwn bool) string {
		certificate := a.certificate(ip, end, isOwn)
		return startServer(t, &certificate, handler)
	}
	year := time.Now().AddDate(1, 0, 0)
	plain := startServer(t, nil, handler)
	f(plain, nil, check.Good, "connected")
	f(secured("127.0.0.1", year, false), nil, check.Good, "certificate valid until "+year.UTC().Format(time.DateOnly))
	f(secured("127.0.0.1", time.Now().Add(time.Hour), false), nil, check.Doubtful, "valid until")
	f(secured("127.0.0.1", time.Now().Add(-time.Hour), false), nil, check.Bad, "tls: certificate expired on ")
	f(secured("127.0.0.2", year, false), nil, check.Bad, "tls: certificate of another host: 127.0.0.2")
	f(secured("127.0.0.1", year, true), nil, check.Bad, "self-signed")
	f(secured("127.0.0.1", year, true), func(c *config.Target) { c.TLS = config.TLS{} }, check.Good, "connected")
	f(strings.Replace(plain, "http:", "https:", 1), nil, check.Bad, "tls: target speaks plain HTTP")
	f(plain, func(c *config.Target) { c.Allow = nil }, check.Bad, "refused to connect to a loopback address")
	f("http://127.0.0.1:1", nil, check.Bad, "connection refused")
	f(plain, func(c *config.Target) { c.TLS.CA = "/nowhere" }, check.Bad, "cannot read tls.ca")

	settings := config.Target{Timeout: config.Duration(time.Minute), Allow: config.Allowed{{Class: config.Loopback}}}
	settings.URL, _ = config.ParseURL(plain)
	for _, offset = range []time.Duration{0, -time.Hour, time.Hour} {
		_, probed := target(t.Context(), "crm", settings, "test")
		want := map[bool]check.Verdict{true: check.Good, false: check.Doubtful}[offset == 0]
		if findings := clock([]string{"crm"}, []send.Probed{probed}); len(findings) != 1 || findings[0].Verdict != want {
			t.Errorf("with a clock that is %s ahead: %+v", offset, findings)
		}
	}
}

func TestTheStateIsWrittenWithoutItsStore(t *testing.T) {
	dir := t.TempDir()
	expect(t, tryState(dir), check.Good, "written and synced")
	expect(t, tryState(filepath.Join(dir, "new", "folder")), check.Good, "will be created")
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	expect(t, tryState(file), check.Bad, "not a directory")
	expect(t, tryState("/proc/sidehook"), check.Bad, "cannot write there")
	owner, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close()
	if err := syscall.Flock(int(owner.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	expect(t, tryState(dir), check.Doubtful, "a running sidehook owns it")
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("%d files are left, want the one from before", len(left))
	}
}

func TestAPortIsFreeOrHeld(t *testing.T) {
	f := func(address, admin string, verdict check.Verdict, why string) {
		t.Helper()
		expect(t, port(t.Context(), "listen", address, admin), verdict, why)
	}
	held, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	admin := strings.TrimPrefix(startServer(t, nil, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "sidehook_build_info 1") }), "http://")
	other := strings.TrimPrefix(startServer(t, nil, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "go_info 1") }), "http://")
	f("127.0.0.1:0", admin, check.Good, "free")
	f(held.Addr().String(), other, check.Bad, "another process holds it")
	f(held.Addr().String(), admin, check.Doubtful, "while a sidehook runs here")
	f("192.0.2.1:0", admin, check.Bad, "no such address")
}

func TestTheAppIsAskedForItsRelease(t *testing.T) {
	f := func(name, address string, verdict check.Verdict, why string) {
		t.Helper()
		profile, err := rules.LoadProfile(name)
		if err != nil {
			t.Fatal(err)
		}
		expect(t, app(t.Context(), httpApp(address), address, profile), verdict, why)
	}
	answering := func(contentType, body string) string {
		return startServer(t, nil, func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodGet {
				t.Errorf("the app got %s", r.Method)
			}
			w.Header().Set("Content-Type", contentType)
			fmt.Fprint(w, body)
		})
	}
	f("decsys", answering("application/json", `"2.4.1"`), check.Good, "release 2.4.1")
	f("decsys", answering("application/json", `"1.0.0"`), check.Bad, "release 1.0.0 is older than")
	f("decsys", answering("text/html", `2.4.1`), check.Doubtful, "names no release")
	f("limesurvey", answering("text/html", "a page"), check.Good, "status 200")
	f("decsys", "http://127.0.0.1:1", check.Bad, "no answer: ")
}

func TestAllIsProbedWithinADeadline(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // accepts, and never answers
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	address := "http://" + silent.Addr().String()
	var settings config.Target
	settings.SetDefaults()
	settings.URL, _ = config.ParseURL(strings.Replace(address, "http:", "https:", 1))
	profile, err := rules.LoadProfile("decsys")
	if err != nil {
		t.Fatal(err)
	}
	prober := Prober("test", func(c *config.Config) (App, error) { return httpApp(c.App), nil }, Replicas(pipelineSettings))
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	findings := prober(ctx, &config.Config{
		Listen: "127.0.0.1:0", Admin: "127.0.0.1:0", App: address, State: t.TempDir(), Targets: map[string]config.Target{"crm": settings},
		Replicas: &config.Replicas{App: "decsys"},
	}, profile)
	if len(findings) != 6 {
		t.Fatalf("got %+v", findings)
	}
	for i, verdict := range []check.Verdict{check.Good, check.Good, check.Good, check.Bad, check.Bad, check.Bad} {
		if findings[i].Verdict != verdict {
			t.Errorf("finding %d is %+v, want %s", i, findings[i], verdict)
		}
	}
}
