package record

import (
	"strings"
	"testing"

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
