package record

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/tidwall/gjson"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/config"
	"github.com/sidehook/sidehook/rules/trial"
)

// pastApp is an AppReader that responds as the app of a recording did at one of its steps.
type pastApp struct {
	exchanges []trial.Recorded

	mu sync.Mutex
	// step is the index of the last exchange that has happened.
	step int
	// asked has the requests so far: method, Host and path.
	asked []string
	// fails makes it respond with status 500.
	fails bool
}

func (a *pastApp) reach(step int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.step = step
}

// Get implements AppReader.
func (a *pastApp) Get(_ context.Context, host, path string) (status int, contentType string, body []byte, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked = append(a.asked, http.MethodGet+" "+host+path)
	x := a.read(path)
	switch {
	case a.fails:
		return http.StatusInternalServerError, "", nil, nil
	case x.Status == 0:
		return http.StatusNotFound, "", nil, nil
	}
	return x.Status, x.ContentType, x.ResponseBody, nil
}

// read returns the response that was recorded next. The last event of a page or item
// was recorded for the current page only; for others, it is what was posted, or
// what was read while they were current.
func (a *pastApp) read(path string) (response rules.Exchange) {
	words := strings.Split(strings.TrimPrefix(path, "/"), "/") // api/log/{instance}/{participant}/{source}/{type}
	if len(words) == 6 && words[1] == "log" {
		return a.lastEvent(words)
	}
	for i, one := range a.exchanges {
		if one.Method == http.MethodGet && one.Target == path {
			if response = one.Exchange; i > a.step {
				break
			}
		}
	}
	return response
}

func (a *pastApp) lastEvent(words []string) (response rules.Exchange) {
	prefix := "/" + strings.Join(words[:4], "/")
	var latest time.Time
	for i, one := range a.exchanges {
		if i > a.step && one.Method != http.MethodGet {
			break
		}
		if !strings.HasPrefix(one.Target, prefix) {
			continue
		}
		event := gjson.ParseBytes(one.Exchange.ResponseBody)
		if one.Method == http.MethodPost && one.Exchange.Status == http.StatusNoContent {
			posted := strings.Split(strings.TrimPrefix(one.Target, "/"), "/")
			event = gjson.Parse(fmt.Sprintf(`{"timestamp":%q,"source":%q,"type":%q,"payload":%s}`,
				one.End.Format(time.RFC3339Nano), posted[4], posted[5], one.Exchange.RequestBody))
		}
		at, err := time.Parse(time.RFC3339Nano, event.Get("timestamp").String())
		if err == nil && !at.Before(latest) && event.Get("source").String() == words[4] && event.Get("type").String() == words[5] {
			latest = at
			response = rules.Exchange{Status: http.StatusOK, ContentType: "application/json", ResponseBody: []byte(event.Raw)}
		}
	}
	return response
}

// joiningRecorder is a testRecorder that reads pasts when the test calls join.
type joiningRecorder struct {
	*testRecorder
	app *pastApp
}

func newJoiningRecorder(t *testing.T, dir string, app *pastApp) *joiningRecorder {
	t.Helper()
	logger := slog.New(slog.DiscardHandler)
	store := outbox.New(outbox.Options{Dir: dir, Logger: logger})
	recorder := New(Options{
		Store: store, Profile: decsysProfile(t), App: app, Logger: logger,
		Config: &config.Config{
			Durability: config.Relaxed,
			Settle:     config.Duration(time.Hour),
			Targets:    map[string]config.Target{"lake": {Format: config.FormatStandard}},
			Rules:      []config.Rule{{To: []string{"lake"}}},
		},
	})
	d := &joiningRecorder{testRecorder: &testRecorder{Recorder: recorder, t: t, store: store}, app: app}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = store.Run(ctx) })
	d.stop = sync.OnceFunc(func() { cancel(); running.Wait() })
	t.Cleanup(d.stop)
	d.resumeLeftovers(t.Context())
	return d
}

// replay replays exchange i of the recording, and reports whether a route matches it.
func (d *joiningRecorder) replay(i int) (matched bool) {
	one := d.app.exchanges[i]
	d.app.reach(i)
	end := d.Begin([]byte(one.Method), []byte(one.Target))
	if end == nil {
		return false
	}
	x := one.Exchange
	x.Host = "survey.example.org"
	end(x)
	return true
}

// join reads the pasts that were requested.
func (d *joiningRecorder) join() {
	d.t.Helper()
	d.waitIdle()
	for len(d.joins.urgent)+len(d.joins.queue) > 0 {
		one, _ := d.joins.next(d.t.Context())
		d.submitJoin(one.Journey, d.joins.read(d.t.Context(), one))
		d.waitIdle()
	}
}

// waitIdle waits until all that was submitted is on disk and what follows from it
// has been submitted, which happens before the next commit.
func (d *testRecorder) waitIdle() {
	d.t.Helper()
	d.flush()
	d.flush()
}

// instants match the times in a body, which in a past are by the app's clock.
var instants = regexp.MustCompile(`"\d{4}-\d\d-\d\dT[\d:.]+Z"`)

// longDoubles have more decimal places than the app's store keeps.
var longDoubles = regexp.MustCompile(`\d+\.\d{10,}`)

// comparable is a body without what differs in a past: times are by the app's clock,
// and doubles have nine decimal places.
func comparable(body []byte) string {
	text := instants.ReplaceAllString(string(body), `"T"`)
	return longDoubles.ReplaceAllStringFunc(text, func(double string) string {
		value, _ := strconv.ParseFloat(double, 64)
		return strings.TrimRight(strconv.FormatFloat(value, 'f', 9, 64), "0")
	})
}

func (d *joiningRecorder) bodies() (all []string) {
	d.t.Helper()
	d.flush()
	list, _, err := d.store.List(outbox.Query{States: []outbox.State{outbox.Waiting}, Limit: 1000})
	if err != nil {
		d.t.Fatal(err)
	}
	for _, one := range list {
		delivery, err := d.store.Load(one.Seq)
		if err != nil {
			d.t.Fatal(err)
		}
		all = append(all, comparable(delivery.Body))
	}
	return all
}

func TestAJourneyJoinedMidwayGivesTheEventsOfAWholeOne(t *testing.T) {
	for _, name := range []string{"reads", "reads-study", "v2.2.3-reads"} {
		recording := readRecording(t, name)
		exchanges := trial.ByEnd(recording.Exchanges)
		whole := newJoiningRecorder(t, memoryDir(t), &pastApp{exchanges: exchanges})
		var made []int // the number of events after each exchange
		for i := range exchanges {
			whole.replay(i)
			made = append(made, len(whole.bodies()))
		}
		want := whole.bodies()
		if len(want) < 3 || strings.Contains(strings.Join(want, ""), `"partial":true`) {
			t.Fatalf("%s: observed from the start, it has %d events", name, len(want))
		}
		for begin := range exchanges {
			if begin == 0 || !isOfJourney(whole.profile, exchanges[begin]) {
				continue
			}
			t.Run(fmt.Sprintf("%s from exchange %d", name, begin), func(t *testing.T) {
				t.Parallel()
				f := func(when string, lag int) {
					d := newJoiningRecorder(t, memoryDir(t), &pastApp{exchanges: exchanges})
					for i := begin; i < len(exchanges); i++ {
						if d.replay(i) && i-begin >= lag {
							d.join()
						}
					}
					d.join()
					if diff := cmp.Diff(want[made[begin-1]:], d.bodies()); diff != "" {
						t.Errorf("%s (-want +got):\n%s", when, diff)
					}
				}
				f("with its past read at once", 0)
				f("with its past read a step later", 15)
				f("with its past read at the end", len(exchanges))
			})
		}
	}
}

// isOfJourney reports whether a route with a participant matches the exchange.
func isOfJourney(profile *rules.Profile, one trial.Recorded) bool {
	match, ok := profile.Match([]byte(one.Method), []byte(one.Target))
	return ok && match.Participant() != ""
}

// midway is a recorder that observes a participant from the exchange begin on.
func midway(t *testing.T, dir string) (d *joiningRecorder, begin int) {
	t.Helper()
	recording := readRecording(t, "reads")
	d = newJoiningRecorder(t, dir, &pastApp{exchanges: trial.ByEnd(recording.Exchanges)})
	for i, one := range d.app.exchanges {
		if strings.HasSuffix(one.Target, "/next") {
			begin = i // the last one, which completes the survey
		}
	}
	return d, begin
}

func TestAPastThatCannotBeReadLeavesAPartialJourney(t *testing.T) {
	d, end := midway(t, t.TempDir())
	before := end - 1
	for !strings.Contains(d.app.exchanges[before].Target, "/api/progress/") {
		before--
	}
	d.app.fails = true
	d.replay(before)
	d.replay(end)
	if n := len(d.bodies()); n != 0 {
		t.Fatalf("%d events were made before the past was read", n)
	}
	d.join()
	bodies := d.bodies()
	if len(bodies) != 1 || !strings.Contains(bodies[0], `"completed":true,"outcome":"completed","recovered":false,"partial":true`) {
		t.Errorf("got %q, want the completion, partial", bodies)
	}
}

func TestObservationsThatWaitForTheirPastSurviveARestart(t *testing.T) {
	dir := t.TempDir()
	d, end := midway(t, dir)
	d.replay(end)
	d.flush()
	d.stop()
	again, _ := midway(t, dir)
	again.app.reach(end)
	again.join()
	bodies := again.bodies()
	if len(bodies) != 1 || !strings.Contains(bodies[0], `"completed":true,"outcome":"completed","recovered":false,"partial":false`) {
		t.Errorf("got %q, want the completion, not partial", bodies)
	}
}

func TestWhatWaitsForItsPastGoesOnWithoutWhenTheAppIsNoLongerAsked(t *testing.T) {
	dir := t.TempDir()
	d, end := midway(t, dir)
	d.replay(end)
	d.flush()
	d.stop()
	again := newTestRecorder(t, dir)
	again.waitIdle()
	bodies := again.deliveries()
	if len(bodies) != 2 || !strings.Contains(string(bodies[1].Body), `"completed":true,"outcome":"completed","recovered":false,"partial":true`) {
		t.Errorf("got %d deliveries, want the completion, partial, for two targets", len(bodies))
	}
}

func TestJourneysGoOnWithoutTheirPastWhenTooManyWait(t *testing.T) {
	d, end := midway(t, t.TempDir())
	for len(d.joins.urgent) < cap(d.joins.urgent) {
		d.joins.enqueue(join{PastRequest: rules.PastRequest{IsUrgent: true}})
	}
	d.replay(end)
	d.waitIdle() // requests the past
	d.waitIdle() // goes on without
	if n := testutil.ToFloat64(d.joins.partial); n != 1 {
		t.Errorf("%v journeys are partial, want 1", n)
	}
}

func TestTheAppIsNotAskedAboutParticipantsItHasJustCreated(t *testing.T) {
	const made = `{"surveyId":5,"instanceId":3,"participantId":null,"newParticipantId":"p","page":null,"pageCount":2}`
	f := func(what string, first string, want ...string) {
		t.Helper()
		d := newJoiningRecorder(t, t.TempDir(), &pastApp{})
		if first != "" {
			d.begin("GET", "/api/progress/5/3")(page(first))
		}
		x := page(showPage1)
		x.Host = "survey.example.org"
		d.begin("GET", "/api/progress/5/3/p")(x)
		d.join()
		d.load("one")
		d.next(showPage2)
		d.join()
		if diff := cmp.Diff(want, d.app.asked); diff != "" {
			t.Errorf("%s: asked (-want +got):\n%s", what, diff)
		}
		if n := len(d.bodies()); n != 1 {
			t.Errorf("%s: %d events, want 1", what, n)
		}
	}
	f("made up", made)
	f("with an id of their own", "",
		"GET survey.example.org/api/log/3/p",
		"GET survey.example.org/api/log/3/p/decsys.platform.PAGE_LOAD",
		"GET survey.example.org/api/log/3/p/decsys.platform.PAGE_NAVIGATION")
}

func TestPastThatAnEventWaitsForIsReadFirst(t *testing.T) {
	d := newJoiningRecorder(t, t.TempDir(), &pastApp{})
	d.begin("GET", "/api/progress/5/3/madeup")(page(strings.ReplaceAll(showPage1, `"p"`, `"madeup"`)))
	d.get(showPage1)
	d.next(showPage2)
	d.waitIdle()
	var order []string
	for range 3 {
		one, _ := d.joins.next(t.Context())
		order = append(order, one.Journey.Participant)
	}
	if diff := cmp.Diff([]string{"p", "madeup", "p"}, order); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

func TestPastThatDidNotFitIsReadOnceAnEventWaitsForIt(t *testing.T) {
	d := newJoiningRecorder(t, t.TempDir(), &pastApp{})
	for len(d.joins.queue) < cap(d.joins.queue) {
		d.joins.enqueue(join{})
	}
	d.get(showPage1)
	d.waitIdle()
	d.next(showPage2)
	d.waitIdle()
	one, _ := d.joins.next(t.Context())
	d.submitJoin(one.Journey, d.joins.read(t.Context(), one))
	if bodies := d.bodies(); len(bodies) != 1 || !strings.Contains(bodies[0], `"partial":false`) {
		t.Errorf("the events are %q, want one, not partial", bodies)
	}
	if late := <-d.expiring; !late.givesUp {
		t.Error("without an event it would wait for ever")
	}
}

// busyApp does not answer before all readers wait for it.
type busyApp struct {
	mu            sync.Mutex
	reading, most int
	allRead       chan struct{}
}

func (a *busyApp) Get(context.Context, string, string) (int, string, []byte, error) {
	a.mu.Lock()
	a.reading++
	if a.most = max(a.most, a.reading); a.reading == readers {
		select {
		case <-a.allRead:
		default:
			close(a.allRead)
		}
	}
	a.mu.Unlock()
	<-a.allRead
	a.mu.Lock()
	defer a.mu.Unlock()
	a.reading--
	return http.StatusNotFound, "", nil, nil
}

func TestAppHasFewRequestsForPastsAtATime(t *testing.T) {
	d := newJoiningRecorder(t, t.TempDir(), &pastApp{})
	app := &busyApp{allRead: make(chan struct{})}
	d.joins.app = app
	const pasts = 10 * readers
	for n := range pasts {
		d.joins.enqueue(join{rules.PastRequest{Journey: rules.Key{Instance: "3", Participant: fmt.Sprint(n)}, Survey: "5", IsUrgent: true}, time.Now().Add(time.Minute)})
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var read atomic.Int64
	d.joins.run(ctx, func(rules.Key, *rules.Past) {
		if read.Add(1) == pasts {
			cancel()
		}
	})
	if app.most != readers || read.Load() != pasts {
		t.Errorf("%d pasts were read, %d at a time, want %d and %d", read.Load(), app.most, pasts, readers)
	}
}
