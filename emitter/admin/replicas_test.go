package admin

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/emitter/replica"
	"github.com/sidehook/sidehook/rules/reload"
)

func TestASingleSidehookSaysHowToHaveSeveral(t *testing.T) {
	s := newServer(t)
	for _, call := range [][2]string{{"GET", "/replicas"}, {"POST", "/replicas/seed"}} {
		if status, body := s.request(call[0], call[1], nil); status != 404 || !strings.Contains(body, "the key replicas of the configuration") {
			t.Errorf("%s %s: %d %s", call[0], call[1], status, body)
		}
	}
	if _, body := s.request("GET", "/status", nil); strings.Contains(body, "replicas") {
		t.Errorf("the status of a single sidehook has replicas: %s", body)
	}
}

// list returns the replicas as a node has them, which have to be as in the OpenAPI document.
func (n *node) list() (list ReplicaList) {
	n.t.Helper()
	w := n.request("GET", "/replicas", "")
	response := w.Result()
	response.Request = httptest.NewRequestWithContext(n.t.Context(), "GET", "/replicas", nil)
	readDocument(n.t).check(n.t, response, w.Body.String())
	if err := json.Unmarshal(w.Body.Bytes(), &list); err != nil {
		n.t.Fatal(err)
	}
	return list
}

func shown(list *ReplicaList) string {
	text := "leader " + list.Leader
	for _, r := range list.Replicas {
		text += fmt.Sprintf(", %s %s (%s, %d behind, spill %d)", r.Name, r.Role, r.Version, r.Behind, r.SpillWaiting)
	}
	return text
}

func TestEachReplicaAnswersForAll(t *testing.T) {
	withReplicas(t, func(leader, follower *node) {
		time.Sleep(time.Second)
		const want = "leader a, a leading (v1, 0 behind, spill 3), b following (v1, 0 behind, spill 3)"
		for _, n := range []*node{leader, follower} {
			if list := n.list(); shown(&list) != want || !list.Connected {
				t.Errorf("at %s: %s; want %s", list.Name, shown(&list), want)
			}
		}
		leader.line.Cut()
		time.Sleep(10 * time.Second)
		list := follower.list()
		if got, want := shown(&list), "leader b, a silent (v1, 0 behind, spill 3), b leading (v1, 0 behind, spill 3)"; got != want {
			t.Errorf("%s; want %s", got, want)
		}
		leader.line.Mend()
	})
}

func TestAReplicaThatIsCutOffCountsItselfAlone(t *testing.T) {
	withReplicas(t, func(leader, follower *node) {
		expect := func(when, count string) {
			t.Helper()
			for _, n := range []*node{leader, follower} {
				if text := n.request("GET", "/metrics", "").Body.String(); !strings.Contains(text, "\nsidehook_replicas_present "+count+"\n") {
					t.Errorf("%s, %s does not count %s:\n%s", when, n.config.Replicas.Name, count, text)
				}
			}
		}
		time.Sleep(time.Second)
		expect("while both are connected", "2")
		leader.line.Cut()
		time.Sleep(time.Minute)
		expect("once one is cut off", "1")
		leader.line.Mend()
	})
}

func TestAReplicaOfAnotherReleaseIsListed(t *testing.T) {
	now := time.Now()
	for extra, role := range map[string]string{"": RoleUnknown, "{": RoleUnknown, `{"role":"leading","new":1}`: "leading"} {
		if got := describeReplica(&replica.Member{Name: "a", Extra: []byte(extra)}, now); got.Role != role || got.Name != "a" {
			t.Errorf("%q: %+v, want %s", extra, got, role)
		}
	}
}

func TestHelloIsShortWhateverTheReason(t *testing.T) {
	refused := outbox.Replica{Role: outbox.RoleRefused, Reason: strings.Repeat("x", 1<<20), Applied: 9, Last: 7}
	extra := Hello("v1", func() outbox.Replica { return refused }, func() replica.SeerStatus { return replica.SeerStatus{} })()
	told, err := parseHello(extra)
	if err != nil || len(extra) > 2*maxReason || told.Role != "refused" || told.Behind != 0 {
		t.Errorf("%d bytes, %+v, %v", len(extra), told, err)
	}
}

func TestAReasonOfSeveralLinesIsToldInOne(t *testing.T) {
	broken := func() outbox.Replica {
		return outbox.Replica{Role: outbox.RoleLeading, Reason: "cannot write\nno server"}
	}
	told, err := parseHello(Hello("v1", broken, func() replica.SeerStatus { return replica.SeerStatus{} })())
	if err != nil || told.Reason != "cannot write; no server" {
		t.Errorf("%+v, %v", told, err)
	}
}

func TestReplicasThatCannotReachTheirServersStillRecord(t *testing.T) {
	f := func(s *Status, want string) {
		t.Helper()
		s.App.Ready = true
		if found := problems(s, reload.Outcome{}, time.Now()); len(found) != 1 || !strings.Contains(found[0].Text, want) {
			t.Errorf("%+v: %+v; want %q alone", s, found, want)
		}
	}
	f(&Status{}, "Nothing is recorded")
	f(&Status{Replicas: &ReplicaList{}}, "is kept on this replica's disk")
}

func TestASeedIsBegunWhereItIsAskedFor(t *testing.T) {
	withReplicas(t, func(_, follower *node) {
		follower.expect("POST", "/replicas/seed", "", 204, "")
		follower.seeded = outbox.ErrAlive
		follower.expect("POST", "/replicas/seed", "", 409, "a replica leads")
		follower.seeded = errors.New("no server is connected")
		follower.expect("POST", "/replicas/seed", "", 503, "can be tried again: no server is connected")
	})
}

func TestProblemsOfReplicasAreNamed(t *testing.T) {
	f := func(list *ReplicaList, want ...string) {
		t.Helper()
		found := replicaProblems(list)
		for i := range max(len(found), len(want)) {
			if i >= len(found) || i >= len(want) || !strings.Contains(found[i].Text, want[i]) || found[i].Action == "" {
				t.Errorf("%+v: %+v; want %q", list, found, want)
				return
			}
		}
	}
	f(&ReplicaList{Connected: true, Leader: "a", Replicas: []Replica{{Name: "a", Role: "leading"}}})
	f(&ReplicaList{}, "servers of the replicas cannot be reached")
	f(&ReplicaList{Connected: true}, "No replica leads")
	f(&ReplicaList{Connected: true, Leader: "a", Replicas: []Replica{
		{Name: "b", Role: "refused", Reason: "its file belongs to another log"}, {Name: "c", SpillWaiting: 5}, {Name: "d", Lost: 6},
	}}, "Replica b does not follow: its file belongs", "5 observations wait on the disk of replica c", "6 observations were lost at replica d")
}
