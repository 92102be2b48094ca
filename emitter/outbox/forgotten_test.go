package outbox

import (
	"testing"
	"time"
)

func TestWhoWasForgottenIsKnownByADigestUntilTheTimeIsOver(t *testing.T) {
	dir := t.TempDir()
	s, stop := testStore(t, dir)
	now := at(0)
	do(t, s, func(tx *Tx) { tx.NoteForgotten("ann-1", now, now.Add(time.Hour)) })
	f := func(name string, want bool) {
		t.Helper()
		do(t, s, func(tx *Tx) {
			forgotten, ok := tx.Forgotten(name)
			if ok != want || ok && !forgotten.Equal(now) {
				t.Errorf("%s was forgotten: %v at %v, want %v at %v", name, ok, forgotten, want, now)
			}
		})
	}
	f("ann-1", true)
	f("bob-1", false)
	do(t, s, func(tx *Tx) { tx.NoteForgotten("bob-1", now.Add(2*time.Hour), now.Add(3*time.Hour)) })
	f("ann-1", false)
	stop()
	if countIn(t, dir, "ann-1") > 0 {
		t.Error("the files have the name")
	}
}
