package record

import (
	"strings"
	"testing"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/config"
)

func TestADeliveryMovesOnlyToATargetThatMaySeeAsMuch(t *testing.T) {
	d := newTestRecorder(t, t.TempDir())
	hides := config.Redact{Participant: true}
	d.routing.Store(newRouting(&config.Config{Targets: map[string]config.Target{"all": {}, "more": {}, "less": {Redact: hides}, "same": {Redact: hides}}}))
	f := func(from, to, want string) {
		t.Helper()
		err := d.MayMove(from, to)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("from %s to %s: %v, want %q", from, to, err, want)
		}
	}
	f("all", "more", "")
	f("less", "all", "")
	f("less", "same", "")
	f("less", "less", "")
	f("gone", "all", "")
	f("all", "less", "must not see")
	f("gone", "less", "must not see")
	f("all", "none", "no target")
}

func TestDeliveriesOfAParticipantWaitForEachOtherUnlessTheTargetWantsNoOrder(t *testing.T) {
	routing := newRouting(&config.Config{
		Targets: map[string]config.Target{
			"ordered": {Format: config.FormatStandard, Order: config.OrderParticipant},
			"loose":   {Format: config.FormatStandard, Order: config.OrderNone},
		},
		Rules: []config.Rule{{To: []string{"ordered", "loose"}}},
	})
	f := func(target string, wantDue int) {
		t.Helper()
		d := newTestRecorder(t, t.TempDir())
		key, event := rules.Key{Instance: "3", Participant: "p"}, skippedComfort(t)
		for place := range 2 {
			event.Place = place + 1
			for _, one := range routing.deliveries("epoch", key, event) {
				if one.Target == target {
					one.Target = "crm"
					if err := d.store.Do(t.Context(), func(tx *outbox.Tx) { tx.Enqueue(one) }); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		if got := len(d.deliveries()); got != wantDue {
			t.Errorf("%s: %d of the two may be sent, want %d", target, got, wantDue)
		}
		owned, _, err := d.store.Owned("p", 0)
		if err != nil || len(owned) != 2 {
			t.Errorf("%s: %d deliveries are found by their participant, %v; want 2", target, len(owned), err)
		}
	}
	f("ordered", 1)
	f("loose", 2)
}
