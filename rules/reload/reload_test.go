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

// timeout bounds what a test waits for; nothing takes nearly as long.
const timeout = 10 * time.Second

// scenario is a Reloader on real files in a folder of its own.
type scenario struct {
	t       *testing.T
	dir     string
	hangups chan os.Signal
	// applied has the configurations that took effect.
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

// start writes the first configuration by put, and starts to reload.
func start(t *testing.T, put func(s *scenario, text string)) *scenario {
	t.Helper()
	s := &scenario{
		t: t, dir: t.TempDir(), hangups: make(chan os.Signal), applied: make(chan *config.Config, 100),
		metrics: prometheus.NewRegistry(), log: &lines{more: make(chan struct{})},
	}
	s.write("secret", "first secret, long")
	put(s, configWith("first"))
	loaded, err := config.Load(s.path("config.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	r := New(Options{
		Path: s.path("config.yaml"), Config: loaded, Hangups: s.hangups, Metrics: s.metrics,
		Logger: slog.New(slog.NewTextHandler(s.log, nil)), Delay: time.Millisecond,
		Apply: func(c *config.Config) error {
			if s.refuse == nil {
				s.applied <- c
			}
			return s.refuse
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
	return s
}

func (s *scenario) path(name string) string { return filepath.Join(s.dir, name) }

func (s *scenario) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *scenario) write(name, text string) {
	s.t.Helper()
	s.must(os.WriteFile(s.path(name), []byte(text), 0o600))
}

// await waits until a configuration takes effect that meets a condition.
func (s *scenario) await(what string, want func(*config.Config) bool) {
	s.t.Helper()
	expired := time.After(timeout)
	for {
		select {
		case c := <-s.applied:
			if want(c) {
				return
			}
		case <-expired:
			text, _ := s.log.read()
			s.t.Fatalf("%s: does not take effect:\n%s", what, text)
		}
	}
}

func (s *scenario) awaitRule(name string) {
	s.t.Helper()
	s.await("rule "+name, func(c *config.Config) bool { return c.Rules[0].Name == name })
}

func (s *scenario) awaitLog(part string) {
	s.t.Helper()
	expired := time.After(timeout)
	for {
		text, more := s.log.read()
		if strings.Contains(text, part) {
			return
		}
		select {
		case <-more:
		case <-expired:
			s.t.Fatalf("the log does not have %q:\n%s", part, text)
		}
	}
}

// gauge returns the value of a metric without labels.
func (s *scenario) gauge(name string) float64 {
	s.t.Helper()
	families, err := s.metrics.Gather()
	if err != nil {
		s.t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() == name {
			return family.GetMetric()[0].GetGauge().GetValue()
		}
	}
	s.t.Fatalf("there is no metric %s", name)
	return 0
}

func (s *scenario) expectSucceeded(want float64) {
	s.t.Helper()
	if got := s.gauge("sidehook_config_last_reload_successful"); got != want {
		s.t.Errorf("sidehook_config_last_reload_successful is %v, want %v", got, want)
	}
}

// Ways in which people and machines change a file.

func inPlace(s *scenario, text string) { s.write("config.yaml", text) }

// byRename writes another file and renames it, as editors do.
func byRename(s *scenario, text string) {
	s.write("config.yaml~", text)
	s.must(os.Rename(s.path("config.yaml~"), s.path("config.yaml")))
}

// bySwap does what the kubelet does for a ConfigMap: config.yaml leads to
// ..data/config.yaml, and ..data to a new folder each time.
func bySwap(s *scenario, text string) {
	folder, err := os.MkdirTemp(s.dir, "..2026_")
	s.must(err)
	s.must(os.WriteFile(filepath.Join(folder, "config.yaml"), []byte(text), 0o600))
	old, _ := os.Readlink(s.path("..data"))
	s.must(os.Symlink(filepath.Base(folder), s.path("..data_tmp")))
	s.must(os.Rename(s.path("..data_tmp"), s.path("..data")))
	if old == "" {
		s.must(os.Symlink(filepath.Join("..data", "config.yaml"), s.path("config.yaml")))
		return
	}
	s.must(os.RemoveAll(s.path(old)))
}

// byLink makes config.yaml a link to a file in another folder, which is written in place.
func byLink(s *scenario, text string) {
	s.must(os.MkdirAll(s.path("elsewhere"), 0o700))
	s.write("elsewhere/real.yaml", text)
	if err := os.Symlink(s.path("elsewhere/real.yaml"), s.path("config.yaml")); err != nil && !errors.Is(err, os.ErrExist) {
		s.t.Fatal(err)
	}
}

func TestAChangedFileTakesEffectHoweverItIsWritten(t *testing.T) {
	for name, put := range map[string]func(*scenario, string){"in place": inPlace, "by rename": byRename, "by symlink swap": bySwap, "behind a link": byLink} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, put)
			for _, rule := range []string{"second", "third", "fourth"} {
				put(s, configWith(rule))
				s.awaitRule(rule)
			}
			s.awaitLog(`changes="[rule \"third\" removed rule \"fourth\" added]"`)
			s.expectSucceeded(1)
		})
	}
}

func TestAChangedSecretTakesEffect(t *testing.T) {
	s := start(t, inPlace)
	s.write("secret", "second secret, long")
	s.await("the secret", func(c *config.Config) bool { return c.Targets["crm"].Secret[0].Reveal() == "second secret, long" })
	s.awaitLog("target crm changed (secret)")
	if text, _ := s.log.read(); strings.Contains(text, "second secret, long") {
		t.Errorf("the log shows it:\n%s", text)
	}
}

func TestABadFileIsLoggedAndChangesNothing(t *testing.T) {
	s := start(t, inPlace)
	s.write("config.yaml", "rulse: []")
	s.awaitLog("configuration not reloaded; keeping the current one")
	s.awaitLog(`rulse: unknown key; did you mean \"rules\"?`)
	s.expectSucceeded(0)
	before := s.gauge("sidehook_config_last_reload_success_timestamp_seconds")
	s.write("config.yaml", configWith("mended"))
	s.awaitRule("mended")
	s.awaitLog(`changes="[rule \"first\" removed rule \"mended\" added]"`)
	s.expectSucceeded(1)
	if after := s.gauge("sidehook_config_last_reload_success_timestamp_seconds"); after <= before {
		t.Errorf("the time of the last success is %v, and was %v before", after, before)
	}
}

func TestARestoredFileIsLoggedAfterABadOne(t *testing.T) {
	s := start(t, inPlace)
	s.write("config.yaml", "rulse: []")
	s.awaitLog("configuration not reloaded")
	s.write("config.yaml", configWith("first"))
	s.awaitLog(`trigger="file change" changes=[none]`)
}

func TestABadProfileChangesNothing(t *testing.T) {
	s := start(t, func(s *scenario, text string) {
		builtin, err := os.ReadFile("../profiles/decsys.yaml")
		s.must(err)
		s.write("app.yaml", string(builtin))
		s.write("config.yaml", text+"profile: ./app.yaml\n")
	})
	s.write("app.yaml", "app: 1")
	s.awaitLog("app.yaml:1:1: routes: must have at least one route")
	s.expectSucceeded(0)
}

func TestASignalIsAnsweredInTheLog(t *testing.T) {
	s := start(t, inPlace)
	s.hangups <- syscall.SIGHUP
	s.awaitLog("configuration reloaded\" file=" + s.path("config.yaml") + " trigger=signal changes=[none]")
	if len(s.applied) > 0 {
		t.Error("what has not changed is applied")
	}
}

func TestAConfigurationThatCannotBeAppliedIsTriedAgain(t *testing.T) {
	s := start(t, inPlace)
	s.refuse = errors.New("no such proxy")
	s.hangups <- syscall.SIGHUP // so that refuse is seen
	s.write("config.yaml", configWith("second"))
	s.awaitLog("no such proxy")
	s.expectSucceeded(0)
	s.hangups <- syscall.SIGHUP
	s.hangups <- syscall.SIGHUP
	text, _ := s.log.read()
	if strings.Count(text, "no such proxy") < 2 {
		t.Errorf("the next reload does not retry:\n%s", text)
	}
}

func TestKeysThatNeedARestartAreNamed(t *testing.T) {
	s := start(t, inPlace)
	s.write("config.yaml", configWith("second")+"listen: :81\nstate: elsewhere\n")
	s.await("the rule, with the old keys", func(c *config.Config) bool { return c.Rules[0].Name == "second" && c.Listen == ":8080" })
	s.awaitLog(`keys="[listen state]"`)
}

func configWithSecret(rule, file string) string {
	return strings.Replace(configWith(rule), "file:secret", "file:"+file, 1)
}

func TestAReloadThatLackedAFileIsRetriedWhenItAppears(t *testing.T) {
	profile, err := os.ReadFile("../profiles/decsys.yaml")
	if err != nil {
		t.Fatal(err)
	}
	f := func(name, text string, arrive func(s *scenario)) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, inPlace)
			s.write("config.yaml", text)
			s.awaitLog("cannot be read: no such file or directory")
			s.expectSucceeded(0)
			arrive(s)
			s.awaitRule("second")
			s.awaitLog("configuration reloaded")
			s.expectSucceeded(1)
		})
	}
	f("secret", configWithSecret("second", "later"), func(s *scenario) { s.write("later", "a secret that is long") })
	f("profile", configWith("second")+"profile: ./later.yaml\n", func(s *scenario) { s.write("later.yaml", string(profile)) })
	f("secret in a folder that comes too", configWithSecret("second", "mount/secrets/later"), func(s *scenario) {
		s.must(os.MkdirAll(s.path("mount/secrets"), 0o700))
		s.write("mount/secrets/later", "a secret that is long")
	})
	f("second of two secrets", strings.Replace(configWith("second"), "file:secret", "[file:one, file:two]", 1), func(s *scenario) {
		s.write("one", "a secret that is long")
		s.awaitLog("two cannot be read")
		s.write("two", "a secret that is long")
	})
	f("secret of a mounted volume", configWithSecret("second", "volume/later"), func(s *scenario) {
		s.must(os.Mkdir(s.path("volume"), 0o700))
		s.swap("volume", "other")
		s.swap("volume", "later")
	})
	f("secret behind a dangling link", configWithSecret("second", "link"), func(s *scenario) {
		s.must(os.Mkdir(s.path("elsewhere"), 0o700))
		s.must(os.Symlink(s.path("elsewhere/later"), s.path("link")))
		s.write("elsewhere/later", "a secret that is long")
	})
}

// swap does what the kubelet does for a Secret that is mounted as a folder: its
// keys are links into ..data, itself a link to a new folder each time.
func (s *scenario) swap(folder, key string) {
	s.t.Helper()
	made, err := os.MkdirTemp(s.path(folder), "..2026_")
	s.must(err)
	s.must(os.WriteFile(filepath.Join(made, key), []byte("a secret that is long"), 0o600))
	data := filepath.Join(s.path(folder), "..data")
	s.must(os.Symlink(filepath.Base(made), data+"_tmp"))
	s.must(os.Rename(data+"_tmp", data))
	s.must(os.Symlink(filepath.Join("..data", key), filepath.Join(s.path(folder), key)))
}

func TestAReloadThatABadProfileFailedIsRetriedWhenItIsFixed(t *testing.T) {
	s := start(t, inPlace)
	s.write("later.yaml", "app: 1")
	s.write("config.yaml", configWith("second")+"profile: ./later.yaml\n")
	s.awaitLog("later.yaml:1:1: routes: must have at least one route")
	profile, err := os.ReadFile("../profiles/decsys.yaml")
	s.must(err)
	s.write("later.yaml", string(profile))
	s.awaitRule("second")
}

func TestAFailureIsLoggedOncePerCause(t *testing.T) {
	s := start(t, byRename)
	byRename(s, configWithSecret("second", "later"))
	s.awaitLog("later cannot be read")
	s.hangups <- syscall.SIGHUP
	s.hangups <- syscall.SIGHUP
	s.hangups <- syscall.SIGHUP // the first two have been handled
	text, _ := s.log.read()
	if got := strings.Count(text, "later cannot be read"); got < 3 || got > 4 {
		t.Errorf("logged %d times, want once for the change and once per signal:\n%s", got, text)
	}
}
