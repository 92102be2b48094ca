package outbox

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sidehook/sidehook/rules/config"
)

// awaiting is the mark of a journey that awaits a silence.
func awaiting(last time.Time) Mark { return Mark{LastExchange: last, AwaitsSilence: true} }

func pass(t testing.TB, s *Store, minutes int) {
	t.Helper()
	for range minutes {
		do(t, s, (*Tx).PassMinute)
	}
}

func wantSilent(t testing.TB, s *Store, minutes int, want ...string) {
	t.Helper()
	do(t, s, func(tx *Tx) {
		got, next := tx.Silent(minutes, "", 100)
		if next != "" {
			t.Errorf("there are more after %q", next)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("silent for %d minutes (-want +got):\n%s", minutes, diff)
		}
	})
}

func indexed(tx *Tx) (keys []string) {
	for key := range tx.view.ascend(bucketJourneyAge, agePrefix(silenceGroup), nil) {
		keys = append(keys, fmt.Sprint(ageKey(key).filed(), " ", ageKey(key).journey()))
	}
	return keys
}

func wantIndexed(t testing.TB, s *Store, want ...string) {
	t.Helper()
	do(t, s, func(tx *Tx) {
		if diff := cmp.Diff(want, indexed(tx)); diff != "" {
			t.Errorf("the index (-want +got):\n%s", diff)
		}
	})
}

func hear(t testing.TB, s *Store, key string, m Mark) {
	t.Helper()
	do(t, s, func(tx *Tx) { tx.PutJourney(key, []byte("{}"), m) })
}

func TestASilenceIsNeitherShorterNorAMinuteLonger(t *testing.T) {
	s, _ := testStore(t, t.TempDir())
	hear(t, s, "ann", awaiting(at(0)))
	pass(t, s, 3) // the first of them may have begun long ago
	wantSilent(t, s, 3)
	pass(t, s, 1)
	wantSilent(t, s, 3, "ann")
	wantSilent(t, s, 4)
}

func TestAJourneyThatGoesOnMovesOnceItsMinuteIsDue(t *testing.T) {
	s, _ := testStore(t, t.TempDir())
	hear(t, s, "ann", awaiting(at(0)))
	hear(t, s, "bob", awaiting(at(0)))
	pass(t, s, 2)
	hear(t, s, "ann", awaiting(at(120)))
	wantIndexed(t, s, "1 ann", "1 bob")
	pass(t, s, 1)
	wantSilent(t, s, 1, "bob")
	wantIndexed(t, s, "1 bob", "3 ann")
	pass(t, s, 1)
	wantSilent(t, s, 2, "bob") // until its silence was noted
	wantSilent(t, s, 1, "bob", "ann")
}

func TestAJourneyThatWentOnIsFoundInTheMinuteOfItsSilence(t *testing.T) {
	s, _ := testStore(t, t.TempDir())
	for _, key := range []string{"ann", "bob", "eve", "joe"} {
		hear(t, s, key, awaiting(at(0)))
	}
	pass(t, s, 1)
	hear(t, s, "ann", awaiting(at(60)))
	pass(t, s, 5)
	do(t, s, func(tx *Tx) {
		for _, want := range [][]string{{"ann", "bob"}, {"eve", "joe"}} {
			keys, next := tx.Silent(2, "", 2)
			if diff := cmp.Diff(want, keys); diff != "" || next == "" == (want[0] == "ann") {
				t.Errorf("next %q (-want +got):\n%s", next, diff)
			}
			for _, key := range keys {
				tx.PutJourney(key, []byte("{}"), seen(at(0)))
			}
		}
	})
}

func TestOnlyJourneysThatAwaitASilenceAreInTheIndex(t *testing.T) {
	s, _ := testStore(t, t.TempDir())
	f := func(name string, change func(), want ...string) {
		t.Helper()
		change()
		t.Log(name)
		wantIndexed(t, s, want...)
		do(t, s, func(tx *Tx) {
			kept := tx.ledger
			if tx.recount(); tx.ledger != kept {
				t.Errorf("%s: the ledger is %v, and all is %v", name, kept, tx.ledger)
			}
		})
	}
	f("it begins", func() { hear(t, s, "ann", awaiting(at(0))) }, "1 ann")
	f("the silence was noted", func() { hear(t, s, "ann", seen(at(0))) })
	f("a minute without any of them", func() { pass(t, s, 3) })
	f("it goes on", func() { hear(t, s, "ann", awaiting(at(1))) }, "1 ann")
	f("another begins later", func() { pass(t, s, 1); hear(t, s, "bob", awaiting(at(2))) }, "1 ann", "2 bob")
	f("it is put off", func() {
		pass(t, s, 3)
		do(t, s, func(tx *Tx) { tx.PutOffSilence("ann", 2); tx.PutOffSilence("ann", 2) })
	}, "2 bob", "3 ann")
	f("it ends", func() { hear(t, s, "ann", seen(at(3))) }, "2 bob")
	f("it is dropped", func() { do(t, s, func(tx *Tx) { tx.DropJourney("bob") }) })
}

// A silence counts on where a kill or a stop left it.
func TestMinutesOutliveTheProcess(t *testing.T) {
	dir := t.TempDir()
	s, stop := testStore(t, dir)
	hear(t, s, "ann", awaiting(at(0)))
	pass(t, s, 2)
	left := readLive(t, s, dir)
	stop()
	writeState(t, dir, left) // as before the orderly stop
	s, stop = testStore(t, dir)
	pass(t, s, 1)
	wantSilent(t, s, 2, "ann")
	wantSilent(t, s, 3)
	do(t, s, func(tx *Tx) { tx.delete(bucketMeta, keyMinutes) }) // as damage does
	stop()
	s, _ = testStore(t, dir)
	pass(t, s, 1)
	wantSilent(t, s, 0, "ann")
}

func TestJourneysOfAnEarlierReleaseAwaitASilenceFromTheirNextExchange(t *testing.T) {
	s, _ := testStore(t, t.TempDir())
	do(t, s, func(tx *Tx) {
		tx.PutJourney("ann", []byte("head"), seen(at(0)))
		r, _ := tx.journey("ann")
		record := append([]byte{}, r.encode()...)
		record[8] &^= hasMinutes
		record = append(record[:17:17], append([]byte{7}, "head"...)...)
		tx.put(bucketJourneys, []byte("ann"), record)
	})
	do(t, s, func(tx *Tx) {
		r, ok := tx.journey("ann")
		if !ok || string(r.head) != "head" || r.size != 7 || r.heard != 0 || r.filed != 0 {
			t.Errorf("read %+v, %v", r, ok)
		}
	})
	hear(t, s, "ann", awaiting(at(1)))
	wantIndexed(t, s, "1 ann")
}

func TestADamagedKeyOfTheIndexIsPutBack(t *testing.T) {
	s, _ := testStore(t, t.TempDir())
	hear(t, s, "ann", awaiting(at(0)))
	do(t, s, func(tx *Tx) { tx.note(bucketJourneyAge, newSilenceKey("ann", 1), []byte("damaged")) })
	waitAudited(t, s)
	wantIndexed(t, s, "1 ann")
}

func TestEvictedJourneysLeaveTheIndex(t *testing.T) {
	s, _ := testStore(t, t.TempDir())
	hear(t, s, "ann", awaiting(time.Now().AddDate(0, 0, -31)))
	do(t, s, func(tx *Tx) {
		trimmer := trimmer{retention: config.Retention{Journeys: config.Duration(30 * 24 * time.Hour)}}
		trimmer.trimJourneys(tx, maxTrim)
	})
	wantIndexed(t, s)
}
