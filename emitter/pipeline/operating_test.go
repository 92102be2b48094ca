package pipeline

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/emitter/replica/memory"
)

// spillWait is how long a participant waits at most where the servers do not answer.
const spillWait = 100 * time.Millisecond

// node is a replica that can be restarted with its folder.
type node struct {
	*Pipeline
	t          *testing.T
	to         *receiver
	dir        string
	connection *memory.Connection
	stop       func()
}

func newNode(t *testing.T, to *receiver, servers *memory.Servers) *node {
	return &node{t: t, to: to, dir: memoryDir(t), connection: servers.Connect(), stop: func() {}}
}

// start starts it as one of several, and startAlone as a single sidehook.
func (n *node) start() { n.startWith(over(n.connection)) }

func (n *node) startAlone() { n.startWith(alone) }

func (n *node) startWith(change func(*Options)) {
	n.t.Helper()
	n.Pipeline = newPipeline(n.t, n.to, func(o *Options) { o.Config.State = n.dir; change(o) })
	n.stop = start(n.t, n.Pipeline)
}

// startNodes starts so many replicas, of which the first leads.
func startNodes(t *testing.T, to *receiver, servers *memory.Servers, count int) (nodes []*node) {
	t.Helper()
	for range count {
		n := newNode(t, to, servers)
		n.start()
		time.Sleep(takeover)
		nodes = append(nodes, n)
	}
	expectRole(t, nodes[0], outbox.RoleLeading)
	return nodes
}

func expectRole(t *testing.T, n *node, want outbox.Role) {
	t.Helper()
	if got := n.Store.Replica(); got.Role != want {
		t.Fatalf("a replica is %v, want %v: %+v", got.Role, want, got)
	}
}

// expectEvents checks that everything was told once and in order.
func expectEvents(t *testing.T, to *receiver, last int) {
	t.Helper()
	if got, want := to.events(), moves(1, last); !slices.Equal(got, want) {
		t.Fatalf("the target got %q, want %q", got, want)
	}
	if n := to.repeats(); n != 0 {
		t.Errorf("%d deliveries came again", n)
	}
}

func TestAnHourWithoutServersDelaysWebhooksAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		to, servers := newReceiver(), memory.NewServers()
		nodes := startNodes(t, to, servers, 3)
		var participants []string
		for n := range 5 {
			participants = append(participants, fmt.Sprintf("participant%d", n))
			showAs(t, nodes[n%3].Pipeline, participants[n], 1)
		}
		requests, longest := 0, time.Duration(0)
		walk := func(from, to int, pause time.Duration) {
			for page := from; page <= to; page++ {
				for _, participant := range participants {
					began := time.Now()
					nextAs(t, nodes[requests%3].Pipeline, participant, page)
					requests++
					longest = max(longest, time.Since(began))
					time.Sleep(pause)
				}
			}
		}
		walk(2, 10, 10*time.Millisecond)
		for _, n := range nodes {
			n.connection.Cut()
		}
		walk(11, 70, time.Hour/300)
		for _, n := range nodes {
			n.connection.Mend()
		}
		walk(71, 90, 10*time.Millisecond)
		time.Sleep(time.Minute)
		for _, participant := range participants {
			if got, want := to.eventsOf(participant), moves(1, 90); !slices.Equal(got, want) {
				t.Errorf("of %s, the target got %q, want %q", participant, got, want)
			}
		}
		if longest > spillWait {
			t.Errorf("a participant waited for %s, want %s at most", longest, spillWait)
		}
		if n := to.repeats(); n != 0 {
			t.Errorf("%d deliveries came again", n)
		}
	})
}

func TestASingleSidehookBecomesOneOfSeveralAndKeepsItsIDs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		to, servers := newReceiver(), memory.NewServers()
		first := newNode(t, to, servers)
		first.startAlone()
		show(t, first.Pipeline, 1)
		for page := 2; page <= 5; page++ {
			next(t, first.Pipeline, page)
		}
		time.Sleep(time.Second)
		first.stop()

		stayed := newNode(t, newReceiver(), servers)
		if err := os.CopyFS(stayed.dir, os.DirFS(first.dir)); err != nil {
			t.Fatal(err)
		}
		stayed.startAlone()

		first.start()
		time.Sleep(takeover)
		expectRole(t, first, outbox.RoleLeading)
		nodes := append([]*node{first}, newNode(t, to, servers), newNode(t, to, servers))
		for _, n := range nodes[1:] {
			n.start()
			time.Sleep(takeover)
			expectRole(t, n, outbox.RoleFollowing)
		}
		for page := 6; page <= 15; page++ {
			next(t, nodes[page%3].Pipeline, page)
			next(t, stayed.Pipeline, page)
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(time.Second)
		expectEvents(t, to, 15)
		if got, want := to.deliveries()[4:], stayed.to.deliveries(); !slices.Equal(got, want) {
			t.Errorf("as several, the ids of deliveries are %q, and as a single one %q", got, want)
		}
	})
}

func TestOneOfSeveralBecomesASingleSidehookAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		to, servers := newReceiver(), memory.NewServers()
		nodes := startNodes(t, to, servers, 2)
		show(t, nodes[0].Pipeline, 1)
		for page := 2; page <= 6; page++ {
			next(t, nodes[page%2].Pipeline, page)
		}
		time.Sleep(time.Second)
		nodes[1].stop()
		one := nodes[0]
		one.stop()

		one.startAlone()
		for page := 7; page <= 10; page++ {
			next(t, one.Pipeline, page)
		}
		time.Sleep(time.Second)
		expectEvents(t, to, 10)
		one.stop()

		one.start() // with the log of before, which lacks what happened meanwhile
		time.Sleep(takeover)
		expectRole(t, one, outbox.RoleRefused)
		if reason := one.Store.Replica().Reason; !strings.Contains(reason, "empty state directory") {
			t.Errorf("the reason does not say what to do: %s", reason)
		}
		one.stop()

		one.connection = memory.NewServers().Connect() // a new log
		one.start()
		time.Sleep(takeover)
		expectRole(t, one, outbox.RoleLeading)
		next(t, one.Pipeline, 11)
		time.Sleep(time.Second)
		expectEvents(t, to, 11)
	})
}

func TestARollingRestartUnderTrafficLosesAndRepeatsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		to, servers := newReceiver(), memory.NewServers()
		nodes := startNodes(t, to, servers, 3)
		page := 1
		show(t, nodes[0].Pipeline, page)
		walk := func(pages int, among ...*node) {
			for range pages {
				page++
				next(t, among[page%len(among)].Pipeline, page)
				time.Sleep(100 * time.Millisecond)
			}
		}
		for n, restarted := range nodes {
			others := append(slices.Clone(nodes[:n]), nodes[n+1:]...)
			walk(5, nodes...)
			stopped := make(chan struct{})
			go func() { defer close(stopped); restarted.stop() }()
			walk(10, others...)
			<-stopped
			started := make(chan struct{})
			go func() { defer close(started); restarted.start() }()
			walk(10, others...)
			<-started
		}
		walk(5, nodes...)
		time.Sleep(time.Minute)
		expectEvents(t, to, page)
	})
}

func TestALostLogIsToldLoudlyAndBegunAnewFromOneReplica(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		to, servers := newReceiver(), memory.NewServers()
		nodes := startNodes(t, to, servers, 3)
		page := 1
		show(t, nodes[0].Pipeline, page)
		longest := time.Duration(0)
		walk := func(pages int) {
			for range pages {
				page++
				began := time.Now()
				next(t, nodes[page%3].Pipeline, page)
				longest = max(longest, time.Since(began))
				time.Sleep(100 * time.Millisecond)
			}
		}
		walk(20)
		time.Sleep(time.Second) // everything that was seen is folded
		servers.Forget()
		walk(20)
		time.Sleep(takeover)
		for _, n := range nodes {
			expectRole(t, n, outbox.RoleRefused)
			if reason := n.Store.Replica().Reason; !strings.Contains(reason, "sidehook replicas seed") {
				t.Errorf("the reason does not say what to do: %s", reason)
			}
		}
		if err := nodes[0].Store.Seed(t.Context()); err != nil {
			t.Fatal(err)
		}
		walk(20)
		time.Sleep(2 * time.Minute)
		leaders := 0
		for _, n := range nodes {
			switch r := n.Store.Replica(); r.Role {
			case outbox.RoleLeading:
				leaders++
			case outbox.RoleFollowing:
			default:
				t.Errorf("a replica is %v: %s", r.Role, r.Reason)
			}
		}
		if leaders != 1 {
			t.Errorf("%d replicas lead", leaders)
		}
		walk(20)
		time.Sleep(time.Minute)
		expectEvents(t, to, page)
		if longest > spillWait {
			t.Errorf("a participant waited for %s, want %s at most", longest, spillWait)
		}
	})
}

func TestAReplicaThatHasLostItsFolderComesBackAndCanLead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		to, servers := newReceiver(), memory.NewServers()
		nodes := startNodes(t, to, servers, 3)
		page := 1
		show(t, nodes[0].Pipeline, page)
		walk := func(pages int, among ...*node) {
			for range pages {
				page++
				next(t, among[page%len(among)].Pipeline, page)
				time.Sleep(100 * time.Millisecond)
			}
		}
		walk(10, nodes...)
		lost := nodes[2]
		lost.stop()
		lost.dir = memoryDir(t)
		walk(10, nodes[:2]...)
		lost.start()
		time.Sleep(takeover)
		expectRole(t, lost, outbox.RoleFollowing)
		walk(10, nodes...)
		nodes[0].stop()
		nodes[1].stop()
		walk(10, lost)
		time.Sleep(time.Minute)
		expectRole(t, lost, outbox.RoleLeading)
		expectEvents(t, to, page)
	})
}

func TestWhatAReplicaLosesAtItsEndIsNotBlamedOnTheStateFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t, newReceiver(), memory.NewServers())
		n.connection.Cut()
		var log strings.Builder
		p := newPipeline(t, n.to, func(o *Options) {
			over(n.connection)(o)
			o.Config.State, o.Logger = n.dir, slog.New(slog.NewTextHandler(&log, nil))
		})
		p.Start(t.Context(), func(error) {})
		if err := errors.Join(os.RemoveAll(n.dir), os.WriteFile(n.dir, nil, 0o600)); err != nil {
			t.Fatal(err)
		}
		show(t, p, 1)
		p.Stop()
		if got := log.String(); !strings.Contains(got, "observations are lost: they could not be kept before the end") || strings.Contains(got, "observations are lost: the state file") {
			t.Errorf("the log has: %s", got)
		}
	})
}

// ofLeader are the gauges that only the replica that leads has, so that sums are right.
var ofLeader = []string{
	"sidehook_deliveries", "sidehook_oldest_pending_seconds", "sidehook_attempts_in_flight", "sidehook_target_state",
	"sidehook_store_share_bytes", "sidehook_store_share_limit_bytes", "sidehook_store_pending_bytes", "sidehook_store_pending_limit_bytes",
}

func TestGaugesOfWhatAllReplicasHaveComeFromTheLeaderAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		to, servers := newReceiver(), memory.NewServers()
		var nodes []*node
		var registries []*prometheus.Registry
		for range 2 {
			n, registry := newNode(t, to, servers), prometheus.NewRegistry()
			n.startWith(func(o *Options) { over(n.connection)(o); o.Metrics = registry })
			time.Sleep(takeover)
			nodes, registries = append(nodes, n), append(registries, registry)
		}
		to.setDown(true)
		show(t, nodes[0].Pipeline, 1)
		next(t, nodes[1].Pipeline, 2)
		time.Sleep(time.Minute)
		expect := func(when string, leaders ...float64) {
			t.Helper()
			for i, registry := range registries {
				values := gather(t, registry)
				if got := values["sidehook_leads"]; len(got) != 1 || got[0] != leaders[i] {
					t.Errorf("%s, sidehook_leads of replica %d is %v, want %v", when, i, got, leaders[i])
				}
				for _, name := range ofLeader {
					if isThere := len(values[name]) > 0; isThere != (leaders[i] == 1) {
						t.Errorf("%s, replica %d has %s %t", when, i, name, isThere)
					}
				}
			}
		}
		expect("at first", 1, 0)
		for _, n := range nodes {
			n.connection.Cut()
		}
		time.Sleep(time.Minute)
		expect("without servers", 0, 0)
		nodes[1].connection.Mend()
		time.Sleep(time.Minute)
		expect("with one of them", 0, 1)
	})
}

// gather returns the values of all gauges, by name.
func gather(t *testing.T, registry *prometheus.Registry) map[string][]float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := map[string][]float64{}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			values[family.GetName()] = append(values[family.GetName()], metric.GetGauge().GetValue())
		}
	}
	return values
}
