package deliver

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/emitter/send"
	"github.com/sidehook/sidehook/rules/config"
)

// fakeTarget answers attempts as a test says, and remembers them.
type fakeTarget struct {
	mu       sync.Mutex
	answer   func(n int, d *outbox.Delivery) send.Result
	attempts []madeAttempt
	// takes is how long an attempt takes, unless it is cut short.
	takes time.Duration
	// open and mostOpen count the attempts in flight.
	open, mostOpen int
}

// madeAttempt is an attempt as the target saw it; at counts from the test's start.
type madeAttempt struct {
	id, body string
	at       time.Duration
}

func (f *fakeTarget) Send(ctx context.Context, d *outbox.Delivery, at time.Time) send.Result {
	f.mu.Lock()
	f.attempts = append(f.attempts, madeAttempt{id: d.ID, body: string(d.Body), at: at.Sub(syntheticStart)})
	n := len(f.attempts)
	f.open++
	f.mostOpen = max(f.mostOpen, f.open)
	answer, takes := f.answer, f.takes
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.open--
	}()
	if takes > 0 {
		select {
		case <-time.After(takes):
		case <-ctx.Done():
			return send.Result{Outcome: send.Ours, Reason: "stopped"}
		}
	}
	if answer == nil {
		return ok200
	}
	return answer(n, d)
}

// syntheticStart is when the clock of every synctest bubble starts.
var syntheticStart = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// The usual answers.
var (
	ok200   = send.Result{Outcome: send.Delivered, Status: 200}
	fail500 = send.Result{Outcome: send.Retry, Status: 500, Reason: "status 500"}
	fail404 = send.Result{Outcome: send.Retry, Status: 404, Reason: "status 404"}
	fail422 = send.Result{Outcome: send.Rejected, Status: 422, Reason: "status 422"}
	fail429 = send.Result{Outcome: send.Throttled, Status: 429, Reason: "status 429"}
	aborted = send.Result{Outcome: send.Aborted, Status: 400, Reason: "status 400"}
	fail410 = send.Result{Outcome: send.Gone, Status: 410, Reason: "status 410"}
	refused = send.Result{Outcome: send.Retry, Reason: "connection refused", NoConnection: true}
	ours    = send.Result{Outcome: send.Ours, Reason: "no file descriptors"}
)

// after is an answer that asks for a wait.
func after(r send.Result, wait time.Duration) send.Result {
	r.RetryAfter = wait
	return r
}

func always(r send.Result) func(int, *outbox.Delivery) send.Result {
	return func(int, *outbox.Delivery) send.Result { return r }
}

// respondWith changes the answer while the target runs.
func (f *fakeTarget) respondWith(answer func(n int, d *outbox.Delivery) send.Result) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answer = answer
}

// setLatency changes how long an attempt takes while the target runs.
func (f *fakeTarget) setLatency(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.takes = d
}

// attemptsSoFar lists the attempts so far as "id@when".
func (f *fakeTarget) attemptsSoFar() (list []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, a := range f.attempts {
		list = append(list, fmt.Sprintf("%s@%s", a.id, a.at))
	}
	return list
}

// ids lists the ids of the attempts so far.
func (f *fakeTarget) ids() (list []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, a := range f.attempts {
		list = append(list, a.id)
	}
	return list
}

// harness is a store and a dispatcher with one fake target for each name.
type harness struct {
	t       *testing.T
	dir     string
	fakes   map[string]*fakeTarget
	targets map[string]config.Target
	// sender takes the place of fakes, chance that of the jitter's own, where they are set.
	sender Sender
	chance func() float64
	// mayAct and metrics are options of the dispatcher.
	mayAct     func() bool
	metrics    prometheus.Registerer
	store      *outbox.Store
	dispatcher *Dispatcher
	// stop stops the dispatcher, then the store.
	stop func()
	// endTerm stops the dispatcher alone.
	endTerm func()
}

// withHarness runs a test with a harness whose clock is fake; all is stopped in the end.
func withHarness(t *testing.T, test func(r *harness), names ...string) {
	t.Helper()
	dir := memoryDir(t)
	synctest.Test(t, func(t *testing.T) {
		r := &harness{t: t, dir: dir, fakes: map[string]*fakeTarget{}, targets: map[string]config.Target{}}
		for _, name := range append(names, "crm") {
			r.fakes[name], r.targets[name] = &fakeTarget{}, testTarget(t, "https://"+name+".example.org/")
		}
		defer func() { r.stop() }()
		r.stop = func() {}
		test(r)
	})
}

// memoryDir is a folder in memory where there is such a thing: days of simulated
// time are thousands of commits, and the disk is not what is tested.
func memoryDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "sidehook-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// testTarget has the default schedule without jitter.
func testTarget(t *testing.T, address string) config.Target {
	t.Helper()
	target := config.Target{
		Retry:       config.Retry{Schedule: durations("5s", "5m", "30m", "2h", "5h", "10h", "14h", "20h", "24h")},
		Breaker:     config.Breaker{Failures: 5, Open: config.Duration(30 * time.Second), MaxOpen: config.Duration(15 * time.Minute)},
		Concurrency: 16,
	}
	var err error
	if target.URL, err = config.ParseURL(address); err != nil {
		t.Fatal(err)
	}
	return target
}

func durations(texts ...string) (list []config.Duration) {
	for _, text := range texts {
		d, err := time.ParseDuration(text)
		if err != nil {
			panic(err)
		}
		list = append(list, config.Duration(d))
	}
	return list
}

// start starts the store and the dispatcher, with the targets as they are set.
func (r *harness) start() {
	r.t.Helper()
	log := slog.New(slog.DiscardHandler)
	r.store = outbox.New(outbox.Options{Dir: r.dir, Logger: log})
	r.dispatcher = New(Options{Store: r.store, NewSender: r.newSender, MayAct: r.mayAct, Metrics: r.metrics, Logger: log})
	r.apply()
	if r.chance != nil {
		r.dispatcher.queues["crm"].random = r.chance
	}
	stopStore := runUntilStopped(r.t, r.store.Run)
	r.beginTerm()
	r.stop = func() {
		r.endTerm()
		stopStore()
	}
	r.write(func(*outbox.Tx) {})
}

// beginTerm starts the dispatcher, again if endTerm has stopped it.
func (r *harness) beginTerm() { r.endTerm = runUntilStopped(r.t, r.dispatcher.Run) }

func (r *harness) newSender(name string, _ config.Target) (Sender, error) {
	if r.sender != nil {
		return r.sender, nil
	}
	if fake := r.fakes[name]; fake != nil {
		return fake, nil
	}
	return nil, fmt.Errorf("no fake for %s", name)
}

func (r *harness) apply() {
	r.t.Helper()
	if err := r.dispatcher.Apply(r.targets); err != nil {
		r.t.Fatal(err)
	}
}

// restart stops all and starts it again on the same files.
func (r *harness) restart() {
	r.t.Helper()
	r.stop()
	r.start()
}

// write changes the outbox, waits for the disk, and for what the dispatcher does at
// once: whether it sees two writes as one would else be the scheduler's choice.
func (r *harness) write(fn func(*outbox.Tx)) {
	r.t.Helper()
	if err := r.store.Do(r.t.Context(), fn); err != nil {
		r.t.Fatal(err)
	}
	synctest.Wait()
}

// loadByID returns the delivery with this id, nil when there is none.
func loadByID(store *outbox.Store, id string) (*outbox.Delivery, error) {
	found, _, err := store.List(outbox.Query{ID: id, Limit: 1})
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return store.Load(found[0].Seq)
}

// enqueue queues deliveries named lane+number for the target crm.
func (r *harness) enqueue(ids ...string) { r.t.Helper(); r.enqueueFor("crm", ids...) }

func (r *harness) enqueueFor(target string, ids ...string) {
	r.t.Helper()
	r.write(func(tx *outbox.Tx) {
		for _, id := range ids {
			tx.Enqueue(outbox.Delivery{ID: id, Target: target, Lane: id[:1], Owner: id[:1], Body: []byte("body of " + id), Created: time.Now()})
		}
	})
}

// advance moves the clock and waits for what happens meanwhile.
func (r *harness) advance(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// crm is the target of most tests.
func (r *harness) crm() *fakeTarget { return r.fakes["crm"] }

// expect compares the attempts at the target crm since the start.
func (r *harness) expect(want ...string) {
	r.t.Helper()
	synctest.Wait()
	if got := r.crm().attemptsSoFar(); !slices.Equal(got, want) {
		r.t.Fatalf("attempts\n got %q\nwant %q", got, want)
	}
}

func (r *harness) statusOf(name string) TargetStatus {
	r.t.Helper()
	synctest.Wait()
	for _, status := range r.dispatcher.Status() {
		if status.Name == name {
			return status
		}
	}
	r.t.Fatalf("no status of %s", name)
	return TargetStatus{}
}

// runUntilStopped runs run until the returned function is called, which waits for its end.
func runUntilStopped(t *testing.T, run func(context.Context) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	return sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run ended with %v", err)
		}
	})
}
