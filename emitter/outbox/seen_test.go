package outbox

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestWhatWasSeenIsKeptAndForgottenADayAfterItsLastChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		s, stop := testStore(t, dir)
		f := func(seen, ann, bob, cid uint64) {
			t.Helper()
			do(t, s, func(tx *Tx) {
				got := [4]uint64{tx.Seen(), tx.SeenFrom("ann"), tx.SeenFrom("bob"), tx.SeenFrom("cid")}
				if got != [4]uint64{seen, ann, bob, cid} {
					t.Errorf("it has seen %v, want %d, %d, %d and %d", got, seen, ann, bob, cid)
				}
			})
		}
		f(0, 0, 0, 0)
		do(t, s, func(tx *Tx) { tx.SetSeen(7); tx.SetSeenFrom("ann", 3); tx.SetSeenFrom("bob", 4) })
		stop()
		s, _ = testStore(t, dir)
		f(7, 3, 4, 0)
		time.Sleep(20 * time.Hour)
		do(t, s, func(tx *Tx) { tx.SetSeenFrom("bob", 5) })
		time.Sleep(5 * time.Hour)
		do(t, s, func(tx *Tx) { tx.SetSeenFrom("cid", 1) })
		f(7, 0, 5, 1)
	})
}
