package reload

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sidehook/sidehook/rules/config"
)

// patience bounds what a test waits for; nothing takes nearly as long.
const patience = 10 * time.Second

// desk is a Reloader on real files in a folder of its own.
type desk struct {
	t       *testing.T
	dir     string
	hangups chan os.Signal
	// applied are the configurations that came to count.
	applied chan *config.Config
	refuse  error
	metrics *prometheus.Registry
	log     *lines
}

// lines is a log that can be waited for.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
	more chan struct{}
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Write(p)
	close(l.more)
	l.more = make(chan struct{})
	return len(p), nil
}

func (l *lines) read() (string, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String(), l.more
}

func configWith(rule string) string {
	return "app: http://127.0.0.1:5000\ntargets: {crm: {url: http://127.0.0.1:1/, secret: file:secret}}\nrules: [{name: " + rule + ", to: [crm]}]\n"
}

// newDesk writes the first configuration by put, and starts to reload.
func newDesk(t *testing.T, put func(d *desk, text string)) *desk {
	t.Helper()
	d := &desk{
		t: t, dir: t.TempDir(), hangups: make(chan os.Signal), applied: make(chan *config.Config, 100),
		metrics: prometheus.NewRegistry(), log: &lines{more: make(chan struct{})},
	}
	d.write("secret", "first secret")
	put(d, configWith("first"))
	loaded, err := config.Load(d.path("config.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	r := New(Options{
		Path: d.path("config.yaml"), Config: loaded, Hangups: d.hangups, Metrics: d.metrics,
		Logger: slog.New(slog.NewTextHandler(d.log, nil)), Delay: time.Millisecond,
		Apply: func(c *config.Config) error {
			if d.refuse == nil {
				d.applied <- c
			}
			return d.refuse
		},
	})
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := r.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { stop(); running.Wait() })
	return d
}

func (d *desk) path(name string) string { return filepath.Join(d.dir, name) }

func (d *desk) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) write(name, text string) {
	d.t.Helper()
	d.must(os.WriteFile(d.path(name), []byte(text), 0o600))
}

// await waits until a configuration counts for which want holds.
func (d *desk) await(what string, want func(*config.Config) bool) {
	d.t.Helper()
	timeout := time.After(patience)
	for {
		select {
		case c := <-d.applied:
			if want(c) {
				return
			}
		case <-timeout:
			text, _ := d.log.read()
			d.t.Fatalf("%s: does not come to count:\n%s", what, text)
		}
	}
}

func (d *desk) awaitRule(name string) {
	d.t.Helper()
	d.await("rule "+name, func(c *config.Config) bool { return c.Rules[0].Name == name })
}

func (d *desk) awaitLog(part string) {
	d.t.Helper()
	timeout := time.After(patience)
	for {
		text, more := d.log.read()
		if strings.Contains(text, part) {
			return
		}
		select {
		case <-more:
		case <-timeout:
			d.t.Fatalf("the log does not say %q:\n%s", part, text)
		}
	}
}

// gauge returns the value of a metric without labels.
func (d *desk) gauge(name string) float64 {
	d.t.Helper()
	families, err := d.metrics.Gather()
	if err != nil {
		d.t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() == name {
			return family.GetMetric()[0].GetGauge().GetValue()
		}
	}
	d.t.Fatalf("there is no metric %s", name)
	return 0
}

func (d *desk) expectSucceeded(want float64) {
	d.t.Helper()
	if got := d.gauge("sidehook_config_last_reload_successful"); got != want {
		d.t.Errorf("sidehook_config_last_reload_successful is %v, want %v", got, want)
	}
}

// The ways in which people and machines change a file.

func inPlace(d *desk, text string) { d.write("config.yaml", text) }

// byRename writes another file and gives it the name, as editors do.
func byRename(d *desk, text string) {
	d.write("config.yaml~", text)
	d.must(os.Rename(d.path("config.yaml~"), d.path("config.yaml")))
}

// bySwap does what the kubelet does for a ConfigMap: config.yaml leads to
// ..data/config.yaml, and ..data to a folder that is made anew each time.
func bySwap(d *desk, text string) {
	folder, err := os.MkdirTemp(d.dir, "..2026_")
	d.must(err)
	d.must(os.WriteFile(filepath.Join(folder, "config.yaml"), []byte(text), 0o600))
	old, _ := os.Readlink(d.path("..data"))
	d.must(os.Symlink(filepath.Base(folder), d.path("..data_tmp")))
	d.must(os.Rename(d.path("..data_tmp"), d.path("..data")))
	if old == "" {
		d.must(os.Symlink(filepath.Join("..data", "config.yaml"), d.path("config.yaml")))
		return
	}
	d.must(os.RemoveAll(d.path(old)))
}

// byLink makes config.yaml a link to a file in another folder, which is written in place.
func byLink(d *desk, text string) {
	d.must(os.MkdirAll(d.path("elsewhere"), 0o700))
	d.write("elsewhere/real.yaml", text)
	if err := os.Symlink(d.path("elsewhere/real.yaml"), d.path("config.yaml")); err != nil && !errors.Is(err, os.ErrExist) {
		d.t.Fatal(err)
	}
}

func TestAChangedFileCountsHoweverItIsChanged(t *testing.T) {
	for name, put := range map[string]func(*desk, string){"in place": inPlace, "by rename": byRename, "by symlink swap": bySwap, "behind a link": byLink} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, put)
			for _, rule := range []string{"second", "third", "fourth"} {
				put(d, configWith(rule))
				d.awaitRule(rule)
			}
			d.awaitLog(`changes="[rule \"third\" removed rule \"fourth\" added]"`)
			d.expectSucceeded(1)
		})
	}
}

func TestAChangedSecretCounts(t *testing.T) {
	d := newDesk(t, inPlace)
	d.write("secret", "second secret")
	d.await("the secret", func(c *config.Config) bool { return c.Targets["crm"].Secret[0].Reveal() == "second secret" })
	d.awaitLog("target crm changed (secret)")
	if text, _ := d.log.read(); strings.Contains(text, "second secret") {
		t.Errorf("the log shows it:\n%s", text)
	}
}

func TestABadFileChangesNothingAndSaysSo(t *testing.T) {
	d := newDesk(t, inPlace)
	d.write("config.yaml", "rulse: []")
	d.awaitLog("the configuration is not reloaded, the one from before goes on")
	d.awaitLog(`rulse: unknown key; did you mean \"rules\"?`)
	d.expectSucceeded(0)
	before := d.gauge("sidehook_config_last_reload_success_timestamp_seconds")
	d.write("config.yaml", configWith("mended"))
	d.awaitRule("mended")
	d.awaitLog(`changes="[rule \"first\" removed rule \"mended\" added]"`)
	d.expectSucceeded(1)
	if after := d.gauge("sidehook_config_last_reload_success_timestamp_seconds"); after <= before {
		t.Errorf("the time of the last success is %v, and was %v before", after, before)
	}
}

func TestABadProfileChangesNothing(t *testing.T) {
	d := newDesk(t, func(d *desk, text string) {
		builtin, err := os.ReadFile("../profiles/decsys.yaml")
		d.must(err)
		d.write("app.yaml", string(builtin))
		d.write("config.yaml", text+"profile: ./app.yaml\n")
	})
	d.write("app.yaml", "app: 1")
	d.awaitLog("app.yaml:1:1: routes: must have at least one route")
	d.expectSucceeded(0)
}

func TestWhoAsksByASignalIsAnswered(t *testing.T) {
	d := newDesk(t, inPlace)
	d.hangups <- syscall.SIGHUP
	d.awaitLog("the configuration is reloaded\" file=" + d.path("config.yaml") + " changes=[none]")
	if len(d.applied) > 0 {
		t.Error("what has not changed is applied")
	}
}

func TestAConfigurationThatCannotBeAppliedIsNotTheOneThatRuns(t *testing.T) {
	d := newDesk(t, inPlace)
	d.refuse = errors.New("no such proxy")
	d.hangups <- syscall.SIGHUP // after which refuse is seen
	d.write("config.yaml", configWith("second"))
	d.awaitLog("no such proxy")
	d.expectSucceeded(0)
	d.hangups <- syscall.SIGHUP
	d.hangups <- syscall.SIGHUP
	text, _ := d.log.read()
	if strings.Count(text, "no such proxy") < 2 {
		t.Errorf("the next reload does not try again:\n%s", text)
	}
}

func TestKeysThatNeedARestartAreNamed(t *testing.T) {
	d := newDesk(t, inPlace)
	d.write("config.yaml", configWith("second")+"listen: :81\nstate: elsewhere\n")
	d.await("the rule, with the old keys", func(c *config.Config) bool { return c.Rules[0].Name == "second" && c.Listen == ":8080" })
	d.awaitLog(`keys="[listen state]"`)
}
