package outbox

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/sidehook/sidehook/rules/config"
	"github.com/sidehook/sidehook/rules/funnel"
)

// damageRuns is how many stores are damaged at random.
const damageRuns = 60

// Of each of two targets: lanes with five pending deliveries, some of them
// retries, and finished ones.
func storeToDamage(t *testing.T) files {
	t.Helper()
	dir := t.TempDir()
	s, stop := testStore(t, dir)
	for n := range 50 {
		do(t, s, func(tx *Tx) {
			for _, target := range []string{"crm", "lake"} {
				tx.Enqueue(sized(target, fmt.Sprint("lane", n%8), n, 20+n+n%5*1500))
			}
			tx.PutJourney(fmt.Sprint("3\x00", n), []byte("head"), eventful(at(n), 100))
			tx.PutJourneyPart(fmt.Sprint("3\x00", n), "a1", []byte("answer"))
			tx.Count(onPage(funnel.Reached, at(n*36000), fmt.Sprint(n%9), "Consent"))
		})
	}
	do(t, s, func(tx *Tx) {
		tx.Delivered(1, Attempt{At: at(100)})
		tx.Dead(3, Attempt{At: at(100), Status: 500})
		tx.Retry(5, Attempt{At: at(100), Status: 500}, Retry{Due: at(200)})
	})
	stop()
	return readState(t, dir)
}

// pieces stands for the bucket of pieces among those of records.
const pieces = bucketCount

// damageRecords damages some records of a file in one way or another. It returns
// the buckets that they are in.
func damageRecords(t *testing.T, random *rand.Rand, dir string) (in []bucket) {
	t.Helper()
	db, err := openDB(filepath.Join(dir, fileName))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.Update(func(tx *bolt.Tx) error {
		for range 1 + random.IntN(3) {
			b := bucket(1 + random.IntN(int(bucketCount)))
			records := tx.Bucket(piecesName)
			if b != pieces {
				records = tx.Bucket(b.name())
			}
			var keys [][]byte
			_ = records.ForEach(func(key, _ []byte) error { keys = append(keys, bytes.Clone(key)); return nil })
			if len(keys) == 0 {
				continue
			}
			key := keys[random.IntN(len(keys))]
			value := bytes.Clone(records.Get(key))
			switch random.IntN(4) {
			case 0: // a bit
				value[random.IntN(len(value))] ^= 1 << random.IntN(8)
			case 1: // its end
				value = value[:random.IntN(len(value))]
			case 2: // another record in its place
				other := records.Get(keys[random.IntN(len(keys))])
				if bytes.Equal(other, value) {
					continue
				}
				value = bytes.Clone(other)
			case 3: // its key
				_ = records.Delete(key)
				key[random.IntN(len(key))] ^= 1 << random.IntN(8)
			}
			in = append(in, b)
			if err := records.Put(key, value); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// drain delivers everything that is due, and returns the bodies in the order of
// each target and lane.
func drainAll(t *testing.T, s *Store) (delivered map[string][]*Delivery) {
	t.Helper()
	delivered = map[string][]*Delivery{}
	for idle := 0; idle < 3; idle++ {
		waitAudited(t, s)
		for _, target := range []string{"crm", "lake"} {
			due, _, err := s.Due(target, at(300), 100, nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range due {
				idle = -1
				delivered[target] = append(delivered[target], d)
				do(t, s, func(tx *Tx) { tx.Delivered(d.Seq, Attempt{At: at(300)}) })
			}
		}
	}
	return delivered
}

// Whatever is damaged, nothing damaged is sent, everything else is sent once and
// in order, and what was damaged is listed.
func TestDamagedRecordCostsNothingButItself(t *testing.T) {
	whole := storeToDamage(t)
	sent := func(delivered map[string][]*Delivery) (total int) {
		for _, of := range delivered {
			total += len(of)
		}
		return total
	}
	for seed := range uint64(damageRuns) {
		t.Run(fmt.Sprint("run ", seed), func(t *testing.T) {
			dir := t.TempDir()
			writeState(t, dir, whole)
			damaged := damageRecords(t, rand.New(rand.NewPCG(seed, 7)), dir)
			s, stop := testStore(t, dir)
			delivered := drainAll(t, s)
			for target, of := range delivered {
				seen, last := map[string]bool{}, map[string]uint64{}
				for _, d := range of {
					lane := strings.Split(d.ID, "_")[1]
					isWhole := strings.HasSuffix(d.ID, target) && bytes.Equal(d.Body, bytes.Repeat([]byte("x"), len(d.Body))) && len(d.Body) >= 20
					if !isWhole || seen[d.ID] || last[lane] > d.Seq {
						t.Errorf("%v: delivery %d (%s) of %d bytes: whole %v, sent before %v, after %d of its lane", damaged, d.Seq, d.ID, len(d.Body), isWhole, seen[d.ID], last[lane])
					}
					seen[d.ID], last[lane] = true, d.Seq
				}
			}
			deliveries := 0
			for _, b := range damaged {
				if b == bucketDeliveries || b == bucketProgress || b == pieces {
					deliveries++
				}
			}
			if total := sent(delivered); total < 98-2*deliveries || total > 98 {
				t.Errorf("%v: %d deliveries were sent, want 98 but for at most %d", damaged, total, 2*deliveries)
			}
			_, _ = s.JourneyKeys("", "")
			readStatistics(t, s)
			waitAudited(t, s)
			listed, err := s.Damaged(100)
			isRead := slices.ContainsFunc(damaged, func(b bucket) bool { return b == bucketTargets })
			if err != nil || isRead && len(listed) == 0 {
				t.Errorf("%v: %+v is listed, %v", damaged, listed, err)
			}
			isLong := func(d Damaged) bool { return d.Bytes+sealSize >= pieceSize }
			if n := countStray(t, s); slices.ContainsFunc(listed, isLong) && n > 0 {
				t.Errorf("%v: %d pieces of nothing are left", damaged, n)
			}
			stop()
			s, _ = testStore(t, dir)
			if again := sent(drainAll(t, s)); again > 0 {
				t.Errorf("%v: %d deliveries are sent again", damaged, again)
			}
		})
	}
}

// readStatistics reads and goes on with all statistics, of which no page has more than
// what was counted.
func readStatistics(t *testing.T, s *Store) {
	t.Helper()
	do(t, s, func(tx *Tx) { tx.Count(onPage(funnel.Reached, at(0), "0", "Consent")) })
	list, err := s.Surveys()
	if err != nil {
		t.Error(err)
	}
	for _, survey := range list {
		pages, err := s.SurveyPages(survey.SurveyNames, time.Time{}, time.Time{})
		if err != nil {
			t.Error(err)
		}
		for _, page := range pages {
			if n := page.Of(funnel.Reached); n > 7 || page.Name != "" && page.Name != "Consent" {
				t.Errorf("page %q %q of %q was reached %d times", page.ID, page.Name, survey.ID, n)
			}
		}
	}
}

// countStray returns how many pieces there are that belong to nothing and will stay.
func countStray(t *testing.T, s *Store) (n int) {
	t.Helper()
	err := s.view(func(v *view) error {
		stray, _ := v.strayPieces(nil, 1<<20)
		for _, key := range stray {
			_, isDropped := v.overlaid(strays, key)
			if b := bucket(key[0]); b < bucketCount && b.divides() {
				_, isReplaced := v.overlaid(b, key[1:len(key)-pieceNumberSize])
				isDropped = isDropped || isReplaced
			}
			if !isDropped {
				n++
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestDamagedDeliveryIsNamedAndListed(t *testing.T) {
	var log bytes.Buffer
	dir := t.TempDir()
	s, stop := testStore(t, dir)
	do(t, s, func(tx *Tx) {
		tx.Enqueue(delivery("ann", 1))
		tx.Enqueue(delivery("ann", 2))
	})
	stop()
	state := readState(t, dir)
	middle := bytes.Index(state[fileName], []byte(`"n":1}`))
	state[fileName][middle]++
	writeState(t, dir, state)
	s, _ = openWith(t, dir, config.Retention{}, &log)
	for began := time.Now(); ; {
		if ids := dueIDs(t, s, "crm", at(60)); len(ids) == 1 && ids[0] == "msg_ann_2" {
			break
		}
		if time.Since(began) > deadline {
			t.Fatal("the delivery behind the damaged one does not become due")
		}
	}
	listed, err := s.Damaged(10)
	if err != nil || len(listed) != 1 || listed[0].ID != "msg_ann_1" || listed[0].Target != "crm" || listed[0].Kind != "deliveries" || listed[0].Seq != 1 {
		t.Errorf("%+v is listed, %v", listed, err)
	}
	if err := s.Do(t.Context(), (*Tx).EraseDamaged); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), "delivery=msg_ann_1") || strings.Contains(log.String(), `"n"`) {
		t.Errorf("the log has\n%s", log.String())
	}
	if listed, _ := s.Damaged(10); len(listed) != 0 {
		t.Errorf("%+v is left", listed)
	}
}
