package console

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/sidehook/sidehook/emitter/admin"
	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/emitter/replica"
	"github.com/sidehook/sidehook/emitter/replica/memory"
)

func TestTheOverviewShowsTheReplicas(t *testing.T) {
	told := func(role outbox.Role, spill int, reason string) []byte {
		shown := outbox.Replica{Role: role, Since: time.Now(), Applied: 1204, Last: 1211, Reason: reason}
		return admin.Hello(hostile, func() outbox.Replica { return shown }, func() replica.SeerStatus { return replica.SeerStatus{Records: spill, Bytes: 2048} })()
	}
	members := []replica.Member{
		{Name: "one", Extra: told(outbox.RoleLeading, 5, "")},
		{Name: hostile, Extra: told(outbox.RoleRefused, 0, hostile)},
	}
	s := newServerOf(t, &admin.Replicas{
		App: "decsys", Name: "one", Link: memory.NewServers().Connect(),
		Present: func() []replica.Member { return members }, Seed: func(context.Context) error { return nil },
	})
	_, page := s.get("/console", nil)
	for _, text := range []string{
		"<h2 id=\"replicas\">Replicas", "one leads; this is one.", `one <span class="state leading">leading`, `<span class="state refused">refused`,
		"entry 1204, 7 behind", "5 observations wait on the disk of replica one", "does not follow: &lt;script&gt;",
	} {
		if !strings.Contains(page, text) {
			t.Errorf("the overview does not show %q:\n%s", text, page)
		}
	}
	if strings.Contains(page, hostile) {
		t.Error("the overview has a script of a stranger")
	}
	members = nil
	if _, page := s.get("/console", nil); !strings.Contains(page, "None leads at the moment; this is one.") || !strings.Contains(page, "No replica leads: webhooks wait.") {
		t.Errorf("the overview does not say that nobody leads:\n%s", page)
	}
}

func TestTheOverviewOfASingleSidehookHasNoReplicas(t *testing.T) {
	if _, page := newServer(t).get("/console", nil); strings.Contains(page, "eplica") {
		t.Errorf("it has:\n%s", page)
	}
}
