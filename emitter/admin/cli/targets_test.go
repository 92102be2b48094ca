package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/sidehook/sidehook/emitter/admin"
	"github.com/sidehook/sidehook/emitter/outbox"
)

func TestListDisableAndEnableTargets(t *testing.T) {
	s := newServer(t)
	s.expect("targets disable crm", "crm is disabled")
	if known, _ := s.store.Target("crm"); known.Cause != outbox.CauseOperator || known.Disabled.IsZero() {
		t.Errorf("the store has %+v", known)
	}
	s.expect("targets enable crm --json", `{"enabled":true,"name":"crm"}`)
	s.write(func(tx *outbox.Tx) { tx.Enqueue(outbox.Delivery{ID: "msg_x", Target: "old", Lane: "p"}) })
	s.expect("targets", "NAME", "crm   up ", "erp   down", "old   not configured  1", "next attempt 2")
	s.expect("targets list --json", `[{"name":"crm","state":"up"`)
	s.expect("targets enable none", `target "none" is not configured`)
	s.expect("targets disable", "usage: sidehook targets disable NAME")
	s.expect("targets erase crm", `unknown command "erase"`)
}

func TestTheNamesOfTargetsAreCompleted(t *testing.T) {
	s := newServer(t)
	t.Setenv("SIDEHOOK_ADMIN", s.Addr().String())
	for _, line := range []string{"targets disable", "deliveries list --target", "deliveries redeliver --to"} {
		args := append([]string{"__complete"}, append(strings.Fields(line), "")...)
		if out, err := runCommand(t, "", args...); err != nil || !strings.HasPrefix(out, "crm\nerp\n:4\n") {
			t.Errorf("%s: %q, %v", line, out, err)
		}
	}
}

func TestTheTableOfTargetsFitsIn80Columns(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	ago := func(d time.Duration) *time.Time { at := now.Add(-d); return &at }
	list := []admin.Target{
		{Name: "crm", State: "up", Host: "https://crm.example.org", Dead: 60, Delivered: 1204, LastSuccess: ago(19 * time.Minute), LastError: "status 422", LastErrorAt: ago(3 * time.Minute)},
		{
			Name: "data-lake.production.example.org", State: "down", Host: "https://ingest.data-lake.production.example.org:8443", Pending: 1_234_567, Dead: 12, Delivered: 98_765_432,
			Oldest: ago(50 * time.Hour), LastSuccess: ago(49 * time.Hour), NextAttempt: ago(-2 * time.Minute), LastErrorAt: ago(time.Minute),
			LastError: "cannot connect: dial tcp 10.20.30.40:8443: connect: connection refused by the host that answers there, or by a firewall on the way",
		},
		{Name: "erp", State: "disabled", Host: "https://erp.example.org", Cause: string(outbox.CauseOperator), Disabled: ago(30 * time.Hour), Pending: 3, Oldest: ago(29 * time.Hour)},
		{Name: "old", State: "not configured", Pending: 1},
	}
	var b strings.Builder
	if err := targetsTable(list, false, now).print(&b); err != nil {
		t.Fatal(err)
	}
	expectWidth(t, b.String())
	golden(t, "targets.txt", b.String())

	name := strings.Repeat("a", 64)
	b.Reset()
	if err := targetsTable([]admin.Target{{Name: name, State: "up"}}, true, now).print(&b); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), name) {
		t.Errorf("with --wide the name is cut:\n%s", b.String())
	}
}
