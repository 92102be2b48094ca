package chaos

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/tidwall/gjson"

	"github.com/sidehook/sidehook/emitter/rig"
)

const (
	// startLimit bounds the time until a process serves.
	startLimit = 30 * time.Second
	// stopLimit bounds the time until a process has stopped in good order.
	stopLimit = 40 * time.Second
	// noticed is how long a load balancer takes to see that a replica stands still.
	noticed = 300 * time.Millisecond
)

// replica is a sidehook process with its files. A restart replaces the process.
type replica struct {
	name, binary, dir   string
	participants, admin string
	environment         []string

	mu sync.Mutex
	// running is nil while there is no process.
	running *generation
	// isPaused is set while load balancers would send nobody there.
	isPaused bool
}

// generation is one process of a replica.
type generation struct {
	replica, address string
	process          *rig.Process
	client           *http.Client
	killed           atomic.Bool
}

func (g *generation) wasKilled() bool { return g.killed.Load() }

func (r *replica) config() string { return filepath.Join(r.dir, "config.yaml") }

func (r *replica) state() string { return filepath.Join(r.dir, "state") }

// start runs the process until it is stopped or killed.
func (r *replica) start() error {
	log, err := os.OpenFile(filepath.Join(r.dir, "sidehook.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(r.binary, "-config", r.config())
	cmd.Env = append(append(os.Environ(), "CHAOS_SECRET="+secret), r.environment...)
	cmd.Stderr = log
	process, err := rig.Start(cmd)
	if err != nil {
		return err
	}
	for _, address := range []string{r.participants, r.admin} {
		if err := process.Await(address, time.Now().Add(startLimit)); err != nil {
			process.Kill()
			return fmt.Errorf("replica %s: %w", r.name, err)
		}
	}
	g := &generation{replica: r.name, address: r.participants, process: process}
	g.client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.running, r.isPaused = g, false
	return nil
}

// generation returns the process, nil without one.
func (r *replica) generation() *generation {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.running
}

// kill ends the process at once.
func (r *replica) kill() {
	g := r.generation()
	if g == nil {
		return
	}
	g.killed.Store(true)
	g.process.Kill()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.running = nil
}

// stop ends the process as an operator does.
func (r *replica) stop() error {
	g := r.generation()
	if g == nil {
		return fmt.Errorf("replica %s does not run", r.name)
	}
	g.client.CloseIdleConnections()
	if err := g.process.Stop(stopLimit); err != nil {
		return fmt.Errorf("replica %s: %w", r.name, err)
	}
	return nil
}

// pause has the process stand still until resume.
func (r *replica) pause() {
	r.signal(syscall.SIGSTOP)
	time.AfterFunc(noticed, func() { r.setPaused(true) })
}

func (r *replica) resume() {
	r.signal(syscall.SIGCONT)
	r.setPaused(false)
}

func (r *replica) signal(s syscall.Signal) {
	if g := r.generation(); g != nil {
		g.process.Signal(s)
	}
}

func (r *replica) setPaused(isPaused bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.isPaused = isPaused
}

// serves returns the process that a load balancer would send participants to, nil
// without one.
func (r *replica) serves() *generation {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.isPaused {
		return nil
	}
	return r.running
}

// metric sums the series of a metric; ok is false if the replica does not have it, or
// does not respond.
func (r *replica) metric(ctx context.Context, name string) (sum float64, ok bool) {
	text, err := r.ask(ctx, "/metrics")
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(text) {
		rest, isIt := strings.CutPrefix(line, name)
		if i := strings.LastIndexByte(rest, ' '); isIt && i >= 0 && (rest[0] == ' ' || rest[0] == '{') {
			value, _ := strconv.ParseFloat(strings.TrimSpace(rest[i:]), 64)
			sum, ok = sum+value, true
		}
	}
	return sum, ok
}

// awaitZero waits until a metric of the replica is 0.
func (r *replica) awaitZero(ctx context.Context, metric string) error {
	for {
		value, ok := r.metric(ctx, metric)
		if ok && value == 0 {
			return nil
		}
		if pause(ctx, 50*time.Millisecond) != nil {
			return fmt.Errorf("%s of %s is still %v (%t)", metric, r.name, value, ok)
		}
	}
}

// applied returns how many entries of the log the replica has, 0 if it does not say.
func (r *replica) applied(ctx context.Context) (entries uint64) {
	one := r.listed(ctx)
	if one.Get("role").String() == "silent" {
		return 0
	}
	return one.Get("applied").Uint()
}

// listed returns how the replica lists itself among the others; what does not exist if it
// does not.
func (r *replica) listed(ctx context.Context) (itself gjson.Result) {
	body, _ := r.ask(ctx, "/replicas")
	gjson.Get(body, "replicas").ForEach(func(_, one gjson.Result) bool {
		if one.Get("name").String() == r.name {
			itself = one
		}
		return true
	})
	return itself
}

// awaitApplied waits until the replica has so many entries. It may know of none that it
// lacks while it does not reach the log.
func (r *replica) awaitApplied(ctx context.Context, least uint64) error {
	for {
		has := r.applied(ctx)
		if has >= least {
			return nil
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return fmt.Errorf("%s has entry %d, and not %d: %w", r.name, has, least, err)
		}
	}
}

// awaitFollowing waits until the replica is listed as following, or as leading.
func (r *replica) awaitFollowing(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, drainLimit)
	defer cancel()
	for {
		role := r.listed(ctx).Get("role").String()
		if role == "following" || role == "leading" {
			return nil
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return fmt.Errorf("%s does not follow, and is %q: %w", r.name, role, err)
		}
	}
}

// ask returns the response of the admin listener to a GET.
func (r *replica) ask(ctx context.Context, path string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+r.admin+path, nil)
	if err != nil {
		return "", err
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return string(body), err
}

// configure writes the configuration. urls are those of the servers, none for a single
// sidehook.
func (r *replica) configure(app, receiver string, urls []string) error {
	text := fmt.Sprintf(`listen: %s
admin: %s
app: %s
state: %s
targets:
  receiver:
    url: %s/hook
    secret: env:CHAOS_SECRET
    format: standard
    retry: {schedule: [%s1s], jitter: 0}
    breaker: {failures: 5, open: 100ms, max_open: 500ms}
rules:
  - to: [receiver]
`, r.participants, r.admin, app, r.state(), receiver, strings.Repeat("200ms, ", 40))
	if len(urls) > 0 {
		text += fmt.Sprintf("replicas: {servers: [nats://%s], app: chaos, name: %s}\n", strings.Join(urls, ", nats://"), r.name)
	}
	if err := os.MkdirAll(r.dir, 0o700); err != nil {
		return err
	}
	return os.WriteFile(r.config(), []byte(text), 0o600)
}
