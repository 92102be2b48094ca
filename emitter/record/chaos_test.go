package record

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/emitter/replica"
	"github.com/sidehook/sidehook/emitter/replica/memory"
	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/config"
)

const (
	chaosReplicas     = 3
	chaosParticipants = 16
	chaosPages        = 12
	// chaosSettle is how long events wait for answers. Participants stay longer on a page.
	chaosSettle  = 2 * time.Second
	chaosSettled = 2 * time.Minute
)

// chaosGroup are replicas with a store each, whose lines and processes fail.
type chaosGroup struct {
	t       *testing.T
	dir     string
	servers *memory.Servers

	mu     sync.Mutex
	chance *rand.Rand
	// broken has the items whose answer was broken off.
	broken  map[string]bool
	members [chaosReplicas]*chaosReplica
}

// chaosReplica is one process of a replica.
type chaosReplica struct {
	*Recorder
	store      *outbox.Store
	connection *memory.Connection
	stop       func()
	isKilled   bool
}

// newChaosGroup returns replicas of which one leads.
func newChaosGroup(t *testing.T, dir string, seed uint64) *chaosGroup {
	t.Helper()
	g := &chaosGroup{t: t, dir: dir, servers: memory.NewServers(), chance: rand.New(rand.NewPCG(seed, 17)), broken: map[string]bool{}}
	for n := range chaosReplicas {
		g.start(n)
	}
	time.Sleep(10 * time.Second)
	return g
}

// start begins a process of the n-th replica.
func (g *chaosGroup) start(n int) {
	dir, logger := filepath.Join(g.dir, fmt.Sprint(n)), slog.New(slog.DiscardHandler)
	connection := g.servers.Connect()
	seer := replica.NewSeer(replica.SeerOptions{Dir: dir, Link: connection, Logger: logger})
	hasUnseen := func() bool { status := seer.Status(); return status.Records+status.Waiting > 0 }
	roster := replica.NewRoster(replica.RosterOptions{
		Link: connection, Name: fmt.Sprint("replica-", n), Incarnation: seer.Incarnation(), HasUnseen: hasUnseen, Logger: logger,
	})
	store := outbox.New(outbox.Options{Dir: dir, Log: connection, Logger: logger})
	recorder := New(Options{
		Store: store, Profile: decsysProfile(g.t), Logger: logger,
		Config: &config.Config{
			Durability: config.Strict, Settle: config.Duration(chaosSettle),
			Targets: map[string]config.Target{"lake": {Format: config.FormatStandard}}, Rules: []config.Rule{{To: []string{"lake"}}},
		},
		Replicas: &Replicas{Seer: seer, Link: connection, Roster: roster},
	})
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { recorder.Answer(ctx) })
	running.Go(func() { _ = roster.Run(ctx) })
	running.Go(func() { _ = store.Run(ctx) })
	running.Go(func() { store.Lead(ctx, recorder.Run) })
	running.Go(func() { _ = seer.Run(ctx) })
	m := &chaosReplica{Recorder: recorder, store: store, connection: connection, stop: func() { cancel(); running.Wait() }}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.members[n] = m
}

// any returns a replica that is not known to be down.
func (g *chaosGroup) any() *chaosReplica {
	for {
		g.mu.Lock()
		m := g.members[g.chance.IntN(chaosReplicas)]
		isKilled := m.isKilled
		g.mu.Unlock()
		if !isKilled {
			return m
		}
		time.Sleep(time.Millisecond)
	}
}

// between returns a time by chance.
func (g *chaosGroup) between(least, most time.Duration) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return least + time.Duration(g.chance.Int64N(int64(most-least)))
}

// kill ends a process that nobody can reach any more.
func (g *chaosGroup) kill(n int) {
	g.mu.Lock()
	m := g.members[n]
	m.isKilled = true
	g.mu.Unlock()
	m.connection.Cut()
	m.stop()
}

// disturb has something fail until ctx ends.
func (g *chaosGroup) disturb(ctx context.Context) {
	for ctx.Err() == nil {
		sleep(ctx, g.between(2*time.Second, 8*time.Second))
		n, d := int(g.between(0, chaosReplicas)), g.between(time.Second, 15*time.Second)
		connection := g.members[n].connection
		switch g.between(0, 6) {
		case 0:
			connection.Cut()
			time.Sleep(d)
		case 1:
			connection.Deafen()
			time.Sleep(d)
		case 2, 4, 5:
			g.kill(n)
			time.Sleep(d / 2)
			g.start(n)
		case 3:
			for _, m := range g.members {
				m.connection.Cut()
			}
			time.Sleep(d / 3)
		}
		for _, m := range g.members {
			m.connection.Mend()
		}
	}
}

// chaosWalk is a participant, and where the app has them.
type chaosWalk struct {
	*chaosGroup
	id      string
	page    int
	answers sync.WaitGroup
}

func (w *chaosWalk) shown() rules.Exchange {
	definition := "null"
	if w.page < chaosPages {
		definition = fmt.Sprintf(`{"id":"pg%d","name":"","order":%d,"components":[{"type":"Free Text","id":"it%d"}]}`, w.page, w.page+1, w.page)
	}
	return page(fmt.Sprintf(`{"surveyId":5,"instanceId":3,"participantId":%q,"newParticipantId":null,"page":%s,"pageCount":%d}`, w.id, definition, chaosPages))
}

// request sends a request to some replica. It returns false if that died meanwhile.
func (w *chaosWalk) request(method, target string, response func() rules.Exchange) (ok bool) {
	return w.requestAt(w.any(), method, target, response)
}

func (w *chaosWalk) requestAt(m *chaosReplica, method, target string, response func() rules.Exchange) (ok bool) {
	end := m.Begin([]byte(method), []byte(target))
	time.Sleep(w.between(time.Millisecond, 200*time.Millisecond))
	x := response()
	x.Ended = time.Now()
	time.Sleep(w.between(time.Millisecond, 3*time.Millisecond))
	w.mu.Lock()
	isKilled := m.isKilled
	w.mu.Unlock()
	if isKilled {
		return false
	}
	end(x)
	w.mu.Lock()
	defer w.mu.Unlock()
	return !m.isKilled
}

func (w *chaosWalk) log(item, what string) bool {
	return w.request("POST", "/api/log/3/"+w.id+"/"+item+"/decsys.platform."+what, func() rules.Exchange {
		return rules.Exchange{Status: 204, RequestBody: []byte(`{"text":"` + item + `"}`)}
	})
}

// goOn takes the participant to the next page, as a browser does. If a request fails,
// they reload until the page is shown.
func (w *chaosWalk) goOn() {
	item := fmt.Sprint("it", w.page)
	w.answers.Go(func() {
		for !w.log(item, "COMPONENT_RESULTS") {
			w.mu.Lock()
			w.broken[w.id+item] = true
			w.mu.Unlock()
			time.Sleep(100 * time.Millisecond)
		}
	})
	time.Sleep(w.between(time.Millisecond, 20*time.Millisecond))
	next := func() rules.Exchange { w.page++; return w.shown() }
	ok := w.request("POST", "/api/progress/5/3/"+w.id+"/next", next)
	w.answers.Wait()
	w.reload(!ok)
}

func (w *chaosWalk) reload(isFirst bool) {
	for ok := !isFirst; ; {
		if !ok {
			time.Sleep(100 * time.Millisecond)
			if !w.request("GET", "/api/progress/5/3/"+w.id, w.shown) {
				continue
			}
		}
		time.Sleep(w.between(5*time.Millisecond, 30*time.Millisecond))
		if w.page == chaosPages || w.log(fmt.Sprint("pg", w.page), "PAGE_LOAD") {
			return
		}
		ok = false
	}
}

// walk takes the whole survey.
func (w *chaosWalk) walk() {
	time.Sleep(w.between(time.Millisecond, 10*time.Second))
	for w.reload(true); w.page < chaosPages; w.goOn() {
		time.Sleep(chaosSettle + w.between(100*time.Millisecond, 5*time.Second))
	}
}

// told returns what was told of each participant, in its order.
func (g *chaosGroup) told() map[string]string {
	store := g.members[0].store
	list, _, err := store.List(outbox.Query{Limit: 1000})
	if err != nil {
		g.t.Fatal(err)
	}
	told := map[string]string{}
	for _, listed := range list {
		d, err := store.Load(listed.Seq)
		if err != nil {
			g.t.Fatal(err)
		}
		event := gjson.ParseBytes(d.Body)
		id := event.Get("data.participant.id").String()
		told[id] += event.Get("data.from.id").String() + ">" + event.Get("data.to.id").String() + " "
		last := event.Get("data.responses|@reverse|0")
		item := fmt.Sprint("it", last.Get("page").Int()-1)
		if answer := last.Get("state").String(); answer != "answered" && !g.broken[id+item] {
			told[id] += "(" + item + "_" + answer + ") "
		}
	}
	return told
}

func TestNothingIsLostOrToldTwiceWhileReplicasFail(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			dir := memoryDir(t)
			synctest.Test(t, func(t *testing.T) {
				g := newChaosGroup(t, dir, seed)
				ctx, cancel := context.WithCancel(t.Context())
				var disturbing, walking sync.WaitGroup
				disturbing.Go(func() { g.disturb(ctx) })
				want := map[string]string{}
				for n := range chaosParticipants {
					w := &chaosWalk{chaosGroup: g, id: fmt.Sprint("p", n)}
					for page := range chaosPages - 1 {
						want[w.id] += fmt.Sprintf("pg%d>pg%d ", page, page+1)
					}
					want[w.id] += fmt.Sprintf("pg%d> ", chaosPages-1)
					walking.Go(w.walk)
				}
				walking.Wait()
				cancel()
				disturbing.Wait()
				time.Sleep(chaosSettled)
				got := g.told()
				for _, m := range g.members {
					m.stop()
				}
				for id := range want {
					if diff := cmp.Diff(strings.Fields(want[id]), strings.Fields(got[id])); diff != "" {
						t.Errorf("%s was told (-want +got):\n%s", id, diff)
					}
				}
			})
		})
	}
}

// One that has just begun has not heard of who is cut off. The leader before it had.
func TestALeaderThatHasJustBegunWaitsForAReplicaThatIsCutOff(t *testing.T) {
	dir := memoryDir(t)
	synctest.Test(t, func(t *testing.T) {
		g := newChaosGroup(t, dir, 1)
		cutOff := 0
		for g.members[cutOff].store.Leads() {
			cutOff++
		}
		g.members[cutOff].connection.Cut()
		begun := (cutOff + 1) % chaosReplicas
		for n := range chaosReplicas {
			if n != cutOff {
				g.kill(n)
			}
		}
		for n := range chaosReplicas {
			if n != cutOff {
				g.start(n)
			}
		}
		time.Sleep(5 * time.Second) // until one of them leads

		w := &chaosWalk{chaosGroup: g, id: "p"}
		g.broken["pit-1"] = true // nobody answers
		moveAt := func(n int) {
			w.requestAt(g.members[n], "POST", "/api/progress/5/3/p/next", func() rules.Exchange { w.page++; return w.shown() })
		}
		w.requestAt(g.members[cutOff], "GET", "/api/progress/5/3/p", w.shown)
		moveAt(cutOff)
		moveAt(begun)
		moveAt(cutOff)
		time.Sleep(10 * time.Second)
		g.members[cutOff].connection.Mend()
		time.Sleep(chaosSettled)
		got := g.told()["p"]
		for _, m := range g.members {
			m.stop()
		}
		if want := "pg0>pg1 pg1>pg2 pg2>pg3 "; got != want {
			t.Errorf("what was told is %s, want %s", got, want)
		}
	})
}

func TestReplicasThatHaveEndedInGoodOrderAreNotWaitedFor(t *testing.T) {
	dir := memoryDir(t)
	synctest.Test(t, func(t *testing.T) {
		g := newChaosGroup(t, dir, 1)
		g.broken["pit-1"] = true // nobody answers
		var ending sync.WaitGroup
		for _, m := range g.members {
			ending.Go(m.stop)
		}
		ending.Wait()
		g.start(0)
		time.Sleep(5 * time.Second) // until it leads
		w := &chaosWalk{chaosGroup: g, id: "p"}
		w.requestAt(g.members[0], "GET", "/api/progress/5/3/p", w.shown)
		w.requestAt(g.members[0], "POST", "/api/progress/5/3/p/next", func() rules.Exchange { w.page++; return w.shown() })
		time.Sleep(time.Second)
		if got, want := g.told()["p"], "pg0>pg1 "; got != want {
			t.Errorf("a second later what was told is %q, want %q", got, want)
		}
		g.members[0].stop()
	})
}
