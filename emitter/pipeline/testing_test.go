package pipeline

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/sidehook/sidehook/emitter/deliver"
	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/emitter/send"
	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/config"
)

// receiver is the one target of all replicas.
type receiver struct {
	mu  sync.Mutex
	got map[string][]string // by participant
	// order has the id of each delivery once, ids how often it came.
	order []string
	ids   map[string]int
	// isDown has it accept nothing.
	isDown bool
}

func newReceiver() *receiver { return &receiver{got: map[string][]string{}, ids: map[string]int{}} }

// Send implements deliver.Sender.
func (r *receiver) Send(_ context.Context, d *outbox.Delivery, _ time.Time) send.Result {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.isDown {
		return send.Result{Outcome: send.Retry, Status: 500, Reason: "status 500"}
	}
	if r.ids[d.ID]++; r.ids[d.ID] == 1 {
		body := gjson.ParseBytes(d.Body)
		participant := body.Get("data.participant.id").String()
		r.got[participant] = append(r.got[participant], body.Get("data.from.id").String()+">"+body.Get("data.to.id").String())
		r.order = append(r.order, d.ID)
	}
	return send.Result{Outcome: send.Delivered, Status: 200}
}

// setDown has it accept nothing, or everything.
func (r *receiver) setDown(isDown bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.isDown = isDown
}

// events are the navigations of p that it got, each once, in the order of their first attempt.
func (r *receiver) events() []string { return r.eventsOf("p") }

func (r *receiver) eventsOf(participant string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got[participant])
}

// deliveries are the ids of all that it got, in the order of their first attempt.
func (r *receiver) deliveries() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.order)
}

// repeats counts the deliveries that it got again.
func (r *receiver) repeats() (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, times := range r.ids {
		n += times - 1
	}
	return n
}

// alone and over are changes of the options: of a single pipeline, and of a replica.
func alone(*Options) {}

func over(shared Shared) func(*Options) { return func(o *Options) { o.Shared = shared } }

// newPipeline returns a pipeline with a state directory of its own.
func newPipeline(t *testing.T, to *receiver, change func(*Options)) *Pipeline {
	t.Helper()
	profile, err := rules.LoadProfile("decsys")
	if err != nil {
		t.Fatal(err)
	}
	address, err := config.ParseURL("https://crm.example.org/")
	if err != nil {
		t.Fatal(err)
	}
	target := config.Target{
		URL: address, Format: config.FormatStandard, Concurrency: 16,
		Retry:   config.Retry{Schedule: []config.Duration{config.Duration(time.Second), config.Duration(time.Hour)}},
		Breaker: config.Breaker{Failures: 5, Open: config.Duration(30 * time.Second), MaxOpen: config.Duration(15 * time.Minute)},
	}
	o := Options{
		Config: &config.Config{
			State: memoryDir(t), Durability: config.Strict, Settle: config.Duration(time.Second),
			Targets: map[string]config.Target{"crm": target}, Rules: []config.Rule{{To: []string{"crm"}}},
		},
		Profile: profile, Logger: slog.New(slog.DiscardHandler),
		NewSender: func(string, config.Target) (deliver.Sender, error) { return to, nil },
	}
	change(&o)
	p, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// start starts a pipeline, which ends with the test at the latest.
func start(t *testing.T, p *Pipeline) (stop func()) {
	t.Helper()
	p.Start(t.Context(), func(err error) { t.Errorf("a part ended: %v", err) })
	stop = sync.OnceFunc(p.Stop)
	t.Cleanup(stop)
	return stop
}

// memoryDir is a folder in memory where there is such a thing.
func memoryDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "sidehook-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// show has p open the page with a number, and next go on to it.
func show(t *testing.T, p *Pipeline, number int) { showAs(t, p, "p", number) }

func next(t *testing.T, p *Pipeline, number int) { nextAs(t, p, "p", number) }

func showAs(t *testing.T, p *Pipeline, participant string, number int) {
	pass(t, p, "GET", participant, "", number)
}

func nextAs(t *testing.T, p *Pipeline, participant string, number int) {
	pass(t, p, "POST", participant, "/next", number)
}

func pass(t *testing.T, p *Pipeline, method, participant, action string, number int) {
	t.Helper()
	path := "/api/progress/5/3/" + participant + action
	end := p.Recorder.Begin([]byte(method), []byte(path))
	if end == nil {
		t.Fatalf("%s %s matches no route", method, path)
	}
	const body = `{"surveyId":5,"instanceId":3,"participantId":%q,"newParticipantId":null,"page":{"id":"%d","name":"","order":%d,"components":[]},"pageCount":99}`
	end(rules.Exchange{Status: 200, ContentType: "application/json", ResponseBody: fmt.Appendf(nil, body, participant, number, number)})
}

// moves are the navigations from one page to another, one after the other.
func moves(from, to int) (all []string) {
	for n := from; n < to; n++ {
		all = append(all, fmt.Sprintf("%d>%d", n, n+1))
	}
	return all
}
