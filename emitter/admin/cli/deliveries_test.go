package cli

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sidehook/sidehook/emitter/admin"
	"github.com/sidehook/sidehook/emitter/outbox"
)

func TestDeliveriesAreListedAndShown(t *testing.T) {
	s := newServer(t)
	s.addDead(5)
	s.expect("deliveries list", "ID ", "msg_1  crm     waiting", "msg_5  crm     dead")
	s.expect("deliveries list --state dead --rule rule0 --limit 1", "msg_", "there are more")
	s.expect("deliveries list --since 150m --state dead", "msg_2")
	s.expect("deliveries list --until 2h30m --state dead --json", `[{"id":"msg_5"`)
	s.expect("deliveries list --state waiting", "msg_1")
	s.expect("deliveries list --state delivered", "no deliveries")
	s.expect("deliveries list --state delivered --json", "[]\n")
	s.expect("deliveries list --state dead --wide", "CREATED", "EVENT", "page_navigation  fzd     rule1")
	s.expect("deliveries list --since never", "since must be a time")
	s.expect("deliveries list --limit 0", "--limit must be 1 or more")
	s.expect("deliveries list msg_3", "sidehook deliveries show msg_3")
	s.expect("deliveries show msg_3", "state ", "dead", "reason", "status 500", "response", `oh\u001b[2J\u0009no`)
	s.expect("deliveries show msg_3 --body", "personal")
	s.expect("deliveries show --json msg_3", `"excerpt":"oh\u001b[2J\tno"`)
	s.expect("deliveries show msg_9", "no delivery has this id")
	s.expect("deliveries show", "usage: sidehook deliveries show ID")
	s.expect("deliveries list --nonsense", "unknown flag: --nonsense")
}

func TestUnknownStatesAndTargetsAreErrorsThatListTheKnownOnes(t *testing.T) {
	s := newServer(t)
	s.write(func(tx *outbox.Tx) { tx.Enqueue(outbox.Delivery{ID: "msg_x", Target: "old", Lane: "p"}) })
	for _, command := range []string{"list", "redeliver", "discard"} {
		s.expect("deliveries "+command+" --state late", `unknown state "late"; known states: pending, delivered, dead`)
	}
	for _, line := range []string{"deliveries list --target typo", "deliveries show msg_1 --target typo", "deliveries redeliver --target typo", "deliveries discard --target typo"} {
		s.expect(line, `target "typo" is not known; known targets: crm, erp, old`)
	}
	s.expect("deliveries list --target old", "msg_x")
	for _, line := range []string{"deliveries redeliver msg_1 --to old", "targets enable old", "targets disable old"} {
		s.expect(line, `target "old" is not configured; configured targets: crm, erp`)
	}
}

func TestDeliveriesAreRedeliveredAndDiscarded(t *testing.T) {
	s := newServer(t)
	s.addDead(1200)
	s.expect("deliveries redeliver", "select deliveries by")
	s.expect("deliveries discard --dry-run", "select deliveries by")
	s.expect("deliveries redeliver msg_1 msg_2", "select deliveries by one ID")
	s.expect("deliveries redeliver msg_1", "the delivery is pending")
	s.expect("deliveries redeliver --rule rule0 --dry-run", "600 deliveries would be sent again")
	s.expect("deliveries redeliver msg_2", "1 delivery will be sent again")
	s.expect("deliveries redeliver --rule rule0 --rate 1/s", "599 deliveries will be sent again")
	s.expect("deliveries redeliver --state pending", "0 deliveries", "601 deliveries left alone")
	s.expect("deliveries list --state pending --limit 3 --wide", "waiting (redelivered)")
	due, _, err := s.store.Due("crm", time.Now().Add(300*time.Second), 1000, nil)
	if err != nil || len(due) < 290 || len(due) > 310 {
		t.Errorf("%d are due within 300 s at 1/s (%v)", len(due), err)
	}
	s.expect("deliveries discard --rule rule1 --dry-run --json", `{"count":599,"pending":0,"after":""}`)
	s.expect("deliveries discard --rule rule1", "599 deliveries discarded")
	s.expect("deliveries discard msg_1", "1 delivery discarded")
	s.expect("deliveries discard msg_1", "no delivery has this id")
	if known, _ := s.store.Target("crm"); known.Pending != 600 || known.Dead != 0 {
		t.Errorf("the target has %+v", known)
	}
}

func TestNoRatePostponesRedeliveriesByMoreThanADay(t *testing.T) {
	s := newServer(t)
	s.addDead(40)
	s.expect("deliveries redeliver --state dead --rate 1/h --dry-run", "39 deliveries would be")
	s.expect("deliveries redeliver --state dead --rate 1/h", "more than a day from now", "before that, 25 deliveries will be sent again")
	s.expect("deliveries redeliver --state dead", "14 deliveries will be sent again")
	s.expect("deliveries redeliver msg_2 --rate fast", "rate must be")
}

func TestRedeliverToAnotherTarget(t *testing.T) {
	s := newServer(t)
	s.addDead(130)
	s.mayMove = fmt.Errorf("it must not see that")
	s.expect("deliveries redeliver --state dead --to erp", "it must not see that")
	if known, _ := s.store.Target("erp"); known.Pending != 0 {
		t.Errorf("%d were sent though it must not see them", known.Pending)
	}
	s.mayMove = nil
	s.expect("deliveries redeliver --state dead --to erp --dry-run", "129 deliveries would be")
	s.expect("deliveries redeliver --state dead --to erp", "129 deliveries will be sent again")
	s.expect("deliveries redeliver msg_1 --to erp", "1 delivery will be sent again")
	s.expect("deliveries redeliver msg_1 --to erp", "the delivery is pending")
	s.expect("deliveries show msg_2", "crm", "dead", "erp", "waiting")
	s.expect("deliveries show msg_2 --target erp", "redelivered  true")
	s.expect("deliveries list --target erp --limit 1", "msg_")
}

func TestABodyCannotControlTheTerminal(t *testing.T) {
	s := newServer(t)
	body := "{\"text\":\"personal \u009b2J\u202e\x7f\"}"
	s.write(func(tx *outbox.Tx) {
		tx.Enqueue(outbox.Delivery{ID: "msg_2", Target: "crm", Rule: "a\u202eb", Survey: "s\u009b", Lane: "q", Body: []byte(body), Created: time.Now()})
	})
	s.expect("deliveries show msg_2 --body", `{"text":"personal \u009b2J\u202e\u007f"}`, `a\u202eb`)
	s.expect("deliveries list --wide", `a\u202eb`, `s\u009b`)
	s.expect("deliveries show msg_2 --body --json", `"body":"{\"text\":\"personal \u009b2J\u202e\u007f\"}"`)
}

func TestTheTableOfDeliveriesFitsIn80Columns(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	list := []admin.Delivery{
		{ID: "msg_thgw0_rASQxwF_AYh-4Fn6ZX", Target: "crm", State: "dead", Created: now.Add(-7*time.Hour - 20*time.Minute), Attempts: 3, Status: 422, Event: "completion", Survey: "fzd", Rule: "consent"},
		{ID: "msg_0Wm3v_rASQxwF_AYh-4Fn6ZX", Target: "data-lake.production.example.org", State: "delivered", Created: now.Add(-40 * 24 * time.Hour), Attempts: 12, Status: 204},
		{ID: "msg_9aQ1x_rASQxwF_AYh-4Fn6ZX", Target: "erp", State: "waiting", Redelivered: true, Created: now.Add(-12 * time.Second), Event: "page_navigation", Survey: "12/3"},
	}
	var narrow, wide strings.Builder
	if err := deliveriesTable(list, false, now).print(&narrow); err != nil {
		t.Fatal(err)
	}
	expectWidth(t, narrow.String())
	golden(t, "deliveries.txt", narrow.String())
	if err := deliveriesTable(list, true, now).print(&wide); err != nil {
		t.Fatal(err)
	}
	golden(t, "deliveries-wide.txt", wide.String())
}
