package outbox

import (
	"testing"
)

func TestNewEpochIsKeptAndLanesStay(t *testing.T) {
	dir := t.TempDir()
	s, stop := testStore(t, dir)
	var epochs []string
	do(t, s, func(tx *Tx) {
		epochs = append(epochs, tx.Epoch())
		tx.Enqueue(delivery("ann", 0))
		tx.DrawEpoch()
		epochs = append(epochs, tx.Epoch())
	})
	do(t, s, func(tx *Tx) { epochs = append(epochs, tx.Epoch()) })
	stop()
	s, _ = testStore(t, dir)
	do(t, s, func(tx *Tx) {
		epochs = append(epochs, tx.Epoch())
		tx.Enqueue(delivery("ann", 1))
	})
	if epochs[0] == epochs[1] || epochs[1] != epochs[2] || epochs[2] != epochs[3] {
		t.Errorf("the epochs are %q, want one change that survives a reopen", epochs)
	}
	if got := dueIDs(t, s, "crm", at(0)); len(got) != 1 {
		t.Errorf("due %q: the second overtakes the first", got)
	}
	if owned, _, _ := s.Owned("", 0); len(owned) != 2 {
		t.Errorf("found %d without an owner, want 2", len(owned))
	}
}
