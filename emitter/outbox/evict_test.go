package outbox

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sidehook/sidehook/rules/config"
)

// minSize is the smallest retention.size that can be configured.
const minSize = 16 << 20

// sized makes a delivery with a body of that many bytes.
func sized(target, lane string, n, size int) Delivery {
	d := delivery(lane, n)
	d.ID, d.Target, d.Body = d.ID+target, target, bytes.Repeat([]byte("x"), size)
	return d
}

// enqueue adds a delivery in a commit of its own and reports whether there was room.
func enqueue(t *testing.T, s *Store, d Delivery) (added bool) {
	t.Helper()
	do(t, s, func(tx *Tx) { added = tx.Enqueue(d) })
	return added
}

// finishAll makes all deliveries of a target that may be sent delivered or dead.
func finishAll(t *testing.T, s *Store, target string, how func(*Tx, uint64, Attempt)) {
	t.Helper()
	for {
		due, _, err := s.Due(target, time.Now(), 100, nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(due) == 0 {
			return
		}
		do(t, s, func(tx *Tx) {
			for _, d := range due {
				how(tx, d.Seq, Attempt{At: time.Now(), Status: 500, Reason: "status 500"})
			}
		})
	}
}

// expectSize fails if more of the file is used than its size and a batch.
func expectSize(t *testing.T, s *Store, size, batch int64) {
	t.Helper()
	if used := s.Stats().UsedBytes; used > size+batch {
		t.Errorf("%d bytes of the file are used, want %d at most", used, size+batch)
	}
}

// One participant grew a large journey, and then sends small requests each of
// which makes a large event, while one of two targets is down.
func TestParticipantWithLargeEventsHindersNobody(t *testing.T) {
	const size, large = 32 << 20, 500 << 10
	var log bytes.Buffer
	s, _ := openWith(t, t.TempDir(), config.Retention{Size: size}, &log)
	for n := range 50 {
		enqueue(t, s, sized("lake", fmt.Sprint("early", n), n, 1000))
	}
	finishAll(t, s, "lake", (*Tx).Dead)
	lost := 0
	for n := range 124 {
		for _, target := range []string{"crm", "lake"} {
			enqueue(t, s, sized(target, "mallory", n, large))
			if !enqueue(t, s, sized(target, fmt.Sprint("honest", n), n, 1000)) {
				lost++
			}
		}
		finishAll(t, s, "lake", (*Tx).Delivered)
		expectSize(t, s, size, 2*large)
	}
	if lost > 0 {
		t.Errorf("%d deliveries of other participants are lost", lost)
	}
	known, err := s.Targets()
	if err != nil || known["lake"].Pending != 0 || known["lake"].Dead != 50 {
		t.Errorf("the healthy target has %+v, %v", known["lake"], err)
	}
	if !strings.Contains(log.String(), "too many of theirs are pending") || strings.Contains(log.String(), "mallory") {
		t.Errorf("the log has\n%s", log.String())
	}
}

// Many made-up participants fill the share of a target that is down.
func TestTargetThatIsDownTakesNothingFromOthers(t *testing.T) {
	const large = 200 << 10
	var log bytes.Buffer
	s, _ := openWith(t, t.TempDir(), config.Retention{Size: minSize}, &log)
	refused := 0
	for n := range 200 {
		if !enqueue(t, s, sized("crm", fmt.Sprint("mallory", n), n, large)) {
			refused++
		}
		if !enqueue(t, s, sized("lake", fmt.Sprint("honest", n), n, 10_000)) {
			t.Fatalf("delivery %d of a healthy target is lost", n)
		}
		if n%10 == 9 {
			finishAll(t, s, "lake", (*Tx).Delivered)
		}
		expectSize(t, s, minSize, large)
	}
	if known, err := s.Target("crm"); err != nil || refused == 0 || known.PendingBytes > minSize/100*45*3/4 {
		t.Errorf("%d are refused and %d bytes pending, %v", refused, known.PendingBytes, err)
	}
	if s.Stats().Lost != uint64(refused) {
		t.Errorf("%d are lost, want %d", s.Stats().Lost, refused)
	}
	if want := "pending deliveries fill its share"; strings.Count(log.String(), want) != 1 || !strings.Contains(log.String(), "target=crm") {
		t.Errorf("the log has\n%s", log.String())
	}
	enqueue(t, s, sized("lake", "large", 1, large))
	do(t, s, func(tx *Tx) {
		if seq := tx.seqOf("msg_large_1lake", "lake"); seq == 0 || tx.RedeliverTo(seq, "crm", time.Now()) {
			t.Error("a copy went to a target without room")
		}
	})
	finishAll(t, s, "crm", (*Tx).Delivered)
	if !enqueue(t, s, sized("crm", "late", 1, large)) {
		t.Error("a delivery is lost though there is room again")
	}
}

func TestLaneHasABoundOfDeliveries(t *testing.T) {
	s, _ := openWith(t, t.TempDir(), config.Retention{Size: 256 << 20}, &bytes.Buffer{})
	added := 0
	do(t, s, func(tx *Tx) {
		added = 0
		for n := range maxLaneDeliveries + 10 {
			if tx.Enqueue(delivery("mallory", n)) {
				added++
			}
		}
		tx.Discard(5) // behind
	})
	do(t, s, func(tx *Tx) { tx.Delivered(1, Attempt{At: at(1)}) })
	isNext := enqueue(t, s, delivery("mallory", 2000)) && enqueue(t, s, delivery("mallory", 2001))
	if isOver := enqueue(t, s, delivery("mallory", 2002)); added != maxLaneDeliveries || !isNext || isOver {
		t.Errorf("added %d, two more after two ended: %v, a third: %v", added, isNext, isOver)
	}
}

func TestMadeUpJourneysTakeNoRoomFromOthers(t *testing.T) {
	const size, batch = minSize, 16
	var log bytes.Buffer
	s, _ := openWith(t, t.TempDir(), config.Retention{Size: size}, &log)
	for n := range 500 {
		do(t, s, func(tx *Tx) {
			tx.Enqueue(sized("crm", fmt.Sprint("honest", n), n, 1000))
			key := fmt.Sprint("3\x00honest", n)
			tx.PutJourney(key, make([]byte, 1000), eventful(time.Now(), 1000))
		})
	}
	finishAll(t, s, "crm", (*Tx).Dead)
	data := make([]byte, 60<<10)
	for n := 0; n < 1024; n += batch {
		do(t, s, func(tx *Tx) {
			for i := range batch {
				tx.PutJourney(fmt.Sprint("3\x00made up", n+i), data, Mark{LastExchange: time.Now(), Size: len(data)})
			}
		})
		expectSize(t, s, size, batch*60<<10)
	}
	if _, dead, _ := statesOf(t, s); dead != 500 {
		t.Errorf("%d of 500 dead deliveries are left", dead)
	}
	do(t, s, func(tx *Tx) {
		for n := range 500 {
			if _, ok := tx.Journey(fmt.Sprint("3\x00honest", n)); !ok {
				t.Errorf("journey %d, which led to an event, was dropped", n)
			}
		}
		if _, ok := tx.Journey("3\x00made up1023"); !ok {
			t.Error("the last journey was dropped")
		}
	})
	if !strings.Contains(log.String(), "dropped the oldest journeys") || strings.Contains(log.String(), "made up1") {
		t.Errorf("the log has\n%s", log.String())
	}
}

func TestOldestOfAllJourneysGoWhereAllLedToEvents(t *testing.T) {
	s, _ := openWith(t, t.TempDir(), config.Retention{Size: minSize}, &bytes.Buffer{})
	key := func(n int) string { return fmt.Sprint("3\x00", 999-n) } // not in the order of the keys
	began := time.Now()
	for n := range 200 {
		do(t, s, func(tx *Tx) {
			tx.PutJourney(key(n), make([]byte, 60<<10), eventful(began.Add(time.Duration(n)*time.Second), 60<<10))
		})
	}
	do(t, s, func(tx *Tx) {
		left := 0
		for n := range 200 {
			if _, ok := tx.Journey(key(n)); ok {
				left++
			} else if left > 0 {
				t.Errorf("journey %d was dropped and an older one was not", n)
			}
		}
		if left < 40 || left > 80 {
			t.Errorf("%d journeys are left", left)
		}
	})
}

// Whoever floods the share with journeys of one kind pushes no others out, of
// whatever kind theirs are.
func TestFloodOfJourneysPushesOutItsOwnKind(t *testing.T) {
	honest := []Mark{{Size: 600}, {Size: 3000, HasEvents: true}, {Size: 10_000}, {Size: 40_000, HasEvents: true}}
	f := func(name string, flood Mark) {
		t.Helper()
		s, _ := openWith(t, t.TempDir(), config.Retention{Size: minSize}, &bytes.Buffer{})
		put := func(tx *Tx, key string, m Mark) {
			m.LastExchange = time.Now()
			tx.PutJourney(key, make([]byte, m.Size), m)
		}
		do(t, s, func(tx *Tx) {
			for n, m := range honest {
				put(tx, fmt.Sprint("3\x00honest", n), m)
			}
		})
		for n := 0; n < 2*minSize/flood.Size; n += 200 {
			do(t, s, func(tx *Tx) {
				for i := range 200 {
					put(tx, fmt.Sprint("3\x00made up", n+i), flood)
				}
			})
		}
		do(t, s, func(tx *Tx) {
			for n, m := range honest {
				_, isKept := tx.Journey(fmt.Sprint("3\x00honest", n))
				if isOfItsKind := groupOf(m) == groupOf(flood); !isKept && !isOfItsKind {
					t.Errorf("%s: the journey with %+v was dropped", name, m)
				}
			}
			if held := tx.ledger.bytes[shareJourneys]; held > tx.size.of(shareJourneys)+200*footprint(flood.Size) {
				t.Errorf("%s: journeys take %d bytes, their share is %d", name, held, tx.size.of(shareJourneys))
			}
		})
	}

	f("small ones", Mark{Size: 500})
	f("small ones with events", Mark{Size: 500, HasEvents: true})
	f("large ones", Mark{Size: 60 << 10})
	f("large ones with events", Mark{Size: 60 << 10, HasEvents: true})
	f("middling ones", Mark{Size: 8 << 10})
}

func TestJourneyThatGoesOnIsNotTheOldest(t *testing.T) {
	s, _ := testStore(t, t.TempDir())
	began := time.Now()
	do(t, s, func(tx *Tx) {
		for n, key := range []string{"3\x00ann", "3\x00bob", "3\x00cid"} {
			tx.PutJourney(key, []byte("first"), seen(began.Add(time.Duration(n)*time.Second)))
		}
		tx.PutJourney("3\x00ann", []byte("second"), seen(began.Add(time.Minute)))
	})
	do(t, s, func(tx *Tx) {
		for _, key := range []string{"3\x00bob", "3\x00cid", "3\x00ann"} {
			dropped, work, _ := tx.dropOldest(0, func(time.Time, int) bool { _, ok := tx.Journey(key); return !ok })
			if want := map[string]int{"3\x00bob": 2}[key] + 1; dropped != 1 || work < 1 || work > want {
				t.Errorf("before %q, %d journeys were dropped and %d records touched", key, dropped, work)
			}
		}
		if first := tx.view.first(bucketJourneyAge, nil); first != nil {
			t.Errorf("%q is left", first)
		}
	})
}

func TestDeadDeliveriesHaveAShareAndThoseDeadLongestGo(t *testing.T) {
	var log bytes.Buffer
	s, _ := openWith(t, t.TempDir(), config.Retention{Size: minSize}, &log)
	for n := range 10 {
		enqueue(t, s, sized("lake", fmt.Sprint(n), n, 1000))
	}
	finishAll(t, s, "lake", (*Tx).Dead)
	for n := range 200 {
		enqueue(t, s, sized("crm", fmt.Sprint(n), n, 30_000))
		finishAll(t, s, "crm", (*Tx).Dead)
	}
	known, err := s.Targets()
	if err != nil || known["lake"].Dead != 10 || known["crm"].Dead < 50 || known["crm"].Dead > 90 {
		t.Errorf("the targets have %+v, %v", known, err)
	}
	if find(t, s, "msg_199_199crm") == nil || find(t, s, "msg_0_0crm") != nil {
		t.Error("the oldest is not what was dropped")
	}
	if !strings.Contains(log.String(), "dropped the deliveries that were dead longest") {
		t.Errorf("the log has\n%s", log.String())
	}
}

func TestDeliveredDeliveriesGoWhileTheFileIsOverItsSize(t *testing.T) {
	s, _ := openWith(t, t.TempDir(), config.Retention{Size: minSize}, &bytes.Buffer{})
	for n := range 60 {
		for i := range 10 {
			enqueue(t, s, sized("crm", fmt.Sprint(n, i), n, 60_000))
		}
		finishAll(t, s, "crm", (*Tx).Delivered)
		expectSize(t, s, minSize, 600_000)
	}
	if _, _, delivered := statesOf(t, s); delivered < 150 || s.Stats().Lost > 0 {
		t.Errorf("%d delivered ones are left, %d lost", delivered, s.Stats().Lost)
	}
}

// A file that has far more than its shares is trimmed in bounded steps.
func TestStoreThatIsFarOverItsSizeShrinks(t *testing.T) {
	var log bytes.Buffer
	dir := t.TempDir()
	s, stop := testStore(t, dir)
	do(t, s, func(tx *Tx) {
		for n := range 2000 {
			tx.PutJourney(fmt.Sprint("3\x00", n), make([]byte, 10_000), eventful(time.Now(), 10_000))
		}
		tx.Enqueue(delivery("ann", 1))
	})
	stop()
	s, _ = openWith(t, dir, config.Retention{Size: minSize}, &log)
	for range 20 {
		waitOpen(t, s)
	}
	expectSize(t, s, minSize/2, 0)
	if pending, _, _ := statesOf(t, s); pending != 1 {
		t.Errorf("%d are pending, want 1", pending)
	}
}

func TestPagesHaveAShare(t *testing.T) {
	s, _ := openWith(t, t.TempDir(), config.Retention{Size: minSize}, &bytes.Buffer{})
	do(t, s, func(tx *Tx) {
		kept := 0
		for n := range 200 {
			if _, isKept := tx.PutPage(fmt.Appendf(nil, "%d%s", n, make([]byte, 10_000))); isKept {
				kept++
			}
		}
		if kept < 40 || kept > 90 {
			t.Errorf("%d pages are kept", kept)
		}
	})
}
