package cli

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/sidehook/sidehook/emitter/admin"
	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/emitter/replica"
	"github.com/sidehook/sidehook/emitter/replica/memory"
)

// newReplica returns a server that is one of two replicas.
func newReplica(t *testing.T, seed func() error) *server {
	t.Helper()
	hello := func(role outbox.Role, reason string) []byte {
		told := outbox.Replica{Role: role, Applied: 1_204, Last: 1_207, Reason: reason}
		return admin.Hello("v1.2.3", func() outbox.Replica { return told }, func() replica.SeerStatus { return replica.SeerStatus{Records: 5, Lost: 1} })()
	}
	return newServerOf(t, t.TempDir(), &admin.Replicas{
		App: "decsys", Name: "one", Link: memory.NewServers().Connect(),
		Present: func() []replica.Member {
			return []replica.Member{
				{Name: "one", Extra: hello(outbox.RoleLeading, "")},
				{Name: "two", Extra: hello(outbox.RoleRefused, "its file belongs to another log"), Silent: time.Second},
			}
		},
		Seed: func(context.Context) error { return seed() },
	})
}

func TestReplicasAreListed(t *testing.T) {
	s := newReplica(t, nil)
	s.expect("replicas", "NAME  ROLE     SINCE", "one   leading", "1204   3       5", "two   refused", "  its file belongs to another log", "1 observation was lost", "v1.2.3")
	s.expect("replicas --json", `{"app":"decsys","name":"one","connected":true,"leader":"one","replicas":[{"name":"one"`)
	s.expect("replicas extra", "unknown command")
	newServer(t).expect("replicas", "this sidehook is a single one")
}

func TestATableOfReplicasWithoutALeaderSaysSo(t *testing.T) {
	f := func(isCut bool, want string) {
		t.Helper()
		line := memory.NewServers().Connect()
		if isCut {
			line.Cut()
		}
		s := newServerOf(t, t.TempDir(), &admin.Replicas{Link: line, Present: func() []replica.Member { return nil }})
		s.expect("replicas", want)
		line.Mend()
	}
	f(false, "No replica leads at the moment")
	f(true, "The servers of the replicas cannot be reached")
}

func TestTheTableOfReplicasFitsIn80Columns(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	since := now.Add(-50 * time.Hour)
	list := admin.ReplicaList{Replicas: []admin.Replica{{
		Name: strings.Repeat("n", 64), Role: "following", Since: &since, Applied: 12_345_678_901, Behind: 123_456, SpillWaiting: 1_234_567, Heard: since,
		Version: "v1.24.13", Reason: strings.Repeat("the log of the replicas cannot be reached ", 5),
	}}}
	var b strings.Builder
	if err := replicasTable(&list, now).print(&b); err != nil {
		t.Fatal(err)
	}
	expectWidth(t, b.String())
}

func TestANewLogIsBegunOnlyByWhoIsSure(t *testing.T) {
	seeds := 0
	var refused error
	s := newReplica(t, func() error { seeds++; return refused })
	if _, err := s.run("replicas seed"); err == nil || !strings.Contains(err.Error(), "say --yes") || seeds != 0 {
		t.Errorf("without --yes: %v, %d seeds", err, seeds)
	}
	if out, err := s.run("replicas seed --yes"); err != nil || !strings.Contains(out, "there is a new log") || seeds != 1 {
		t.Errorf("with --yes: %q, %v, %d seeds", out, err, seeds)
	}
	s.expect("replicas seed --yes --json", `{"seeded":true}`)
	refused = errors.New("a replica leads: there is nothing to repair")
	s.expect("replicas seed --yes", "there is nothing to repair")
}
