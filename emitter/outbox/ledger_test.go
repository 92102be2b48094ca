package outbox

import (
	"bytes"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/sidehook/sidehook/rules/config"
)

// books is everything that is known of what takes how much of the file.
type books struct {
	Shares  [shareCount]int64
	Targets map[string][3]uint64
	Number  int64
	Lanes   map[string][2]uint64
}

func (tx *Tx) books() books {
	b := books{Shares: tx.ledger.bytes, Number: tx.ledger.targets, Targets: map[string][3]uint64{}, Lanes: map[string][2]uint64{}}
	for _, name := range tx.targetNames() {
		t := tx.target(name)
		b.Targets[name] = [3]uint64{t.PendingBytes, t.deadBytes, t.deliveredBytes}
	}
	for key := range tx.view.ascend(bucketLanes, nil, nil) {
		p := &progressRecord{target: uint32(key[3])}
		copy(p.lane[:], key[4:])
		l := tx.readLane(p)
		b.Lanes[string(key)] = [2]uint64{l.deliveries, l.bytes}
	}
	return b
}

// countAgain counts what the file has.
func (tx *Tx) countAgain() books {
	tx.recount()
	b := tx.books()
	clear(b.Lanes)
	for key := range tx.view.ascend(bucketProgress, nil, nil) {
		p := tx.progress(lastUint64(key))
		if p.isPending() && p.isOrdered() {
			lane := b.Lanes[string(laneKey(p.target, p.lane))]
			lane[0]++
			lane[1] += uint64(deliveryFootprint(tx.get(bucketDeliveries, key)))
			b.Lanes[string(laneKey(p.target, p.lane))] = lane
		}
	}
	return b
}

// Whatever is done to a store, the ledger is what a count gives, and no share is exceeded.
func TestLedgerIsRightAndSharesHold(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		dir, err := os.MkdirTemp(t.TempDir(), "")
		if err != nil {
			r.Fatal(err)
		}
		const size, batch = 4 << 20, 3 << 20
		retention := config.Retention{Size: size}
		s, stop := openWith(t, dir, retention, &bytes.Buffer{})
		defer func() { stop() }()
		n := 0
		seq := func(r *rapid.T) uint64 { return uint64(rapid.IntRange(1, 60).Draw(r, "seq")) }
		name := func(r *rapid.T, names ...string) string { return rapid.SampledFrom(names).Draw(r, "name") }
		attempt := func(r *rapid.T) Attempt {
			return Attempt{At: time.Now(), Status: 500, Excerpt: make([]byte, rapid.IntRange(0, 1024).Draw(r, "excerpt"))}
		}
		r.Repeat(map[string]func(*rapid.T){
			"enqueue": func(r *rapid.T) {
				target, lane := name(r, "crm", "erp", "lake"), name(r, "", "a", "b", "c", "d", "e")
				length, count := rapid.IntRange(0, 100_000).Draw(r, "length"), rapid.IntRange(1, 20).Draw(r, "count")
				do(t, s, func(tx *Tx) {
					for i := range count {
						tx.Enqueue(sized(target, lane, n+i, length))
					}
				})
				n += count
			},
			"finish": func(r *rapid.T) {
				seq, a, how := seq(r), attempt(r), rapid.IntRange(0, 3).Draw(r, "how")
				do(t, s, func(tx *Tx) {
					switch how {
					case 0:
						tx.Delivered(seq, a)
					case 1:
						tx.Dead(seq, a)
					case 2:
						tx.Retry(seq, a, Retry{Due: time.Now()})
					case 3:
						tx.ProbeFailed(seq, a)
					}
				})
			},
			"redeliver": func(r *rapid.T) {
				seq, target := seq(r), name(r, "", "crm", "erp", "tap")
				do(t, s, func(tx *Tx) {
					if target == "" {
						tx.Redeliver(seq, time.Now())
					} else {
						tx.RedeliverTo(seq, target, time.Now())
					}
				})
			},
			"discard": func(r *rapid.T) {
				seq := seq(r)
				do(t, s, func(tx *Tx) { tx.Discard(seq) })
			},
			"journey": func(r *rapid.T) {
				key, length := fmt.Sprint("3\x00", rapid.IntRange(0, 30).Draw(r, "journey")), rapid.IntRange(0, 100_000).Draw(r, "length")
				at := time.Now().Add(-time.Duration(rapid.IntRange(0, 3).Draw(r, "hours")) * time.Hour)
				what := rapid.IntRange(0, 4).Draw(r, "what")
				do(t, s, func(tx *Tx) {
					tx.PutJourney(key, make([]byte, length), Mark{LastExchange: at, Size: length * 3 / 2, HasEvents: what == 1})
					tx.PutJourneyPart(key, fmt.Sprint("a", length%10), make([]byte, length/2))
					tx.PutPage(make([]byte, length/8))
					switch what {
					case 2:
						tx.MarkUnsettled(key, "run")
					case 3:
						tx.ClearUnsettled(key)
					case 4:
						tx.DropJourney(key)
					}
				})
			},
			"reopen": func(*rapid.T) {
				stop()
				s, stop = openWith(t, dir, retention, &bytes.Buffer{})
			},
			"": func(r *rapid.T) {
				var kept, counted books
				do(t, s, func(tx *Tx) { kept, counted = tx.books(), tx.countAgain() })
				if diff := cmp.Diff(counted, kept); diff != "" {
					r.Fatalf("the books differ (-counted +kept):\n%s", diff)
				}
				for _, share := range []share{shareDead, shareJourneys, sharePages} {
					if limit := budget(size).of(share); kept.Shares[share] > limit {
						r.Fatalf("%s have %d, want %d at most", share, kept.Shares[share], limit)
					}
				}
				if used := s.Stats().UsedBytes; used > size+batch {
					r.Fatalf("%d bytes of the file are used, want %d at most", used, size+batch)
				}
			},
		})
	})
}

func TestFileOfAnEarlyReleaseIsCountedOnce(t *testing.T) {
	dir := unpackFormat1(t)
	s, stop := testStore(t, dir)
	var first books
	do(t, s, func(tx *Tx) {
		first = tx.books()
		for _, share := range []share{sharePending, shareDead, shareDelivered, shareJourneys, sharePages} {
			if tx.ledger.bytes[share] == 0 {
				t.Errorf("%s have no bytes", share)
			}
		}
		tx.countAgain()
		if diff := cmp.Diff(tx.books().Targets, first.Targets); diff != "" {
			t.Errorf("the bytes of targets differ (-counted +kept):\n%s", diff)
		}
	})
	stop()
	s, _ = testStore(t, dir)
	do(t, s, func(tx *Tx) {
		if diff := cmp.Diff(first, tx.books()); diff != "" {
			t.Errorf("the books after a reopen (-before +after):\n%s", diff)
		}
	})
	do(t, s, func(tx *Tx) {
		for seq := range uint64(5) {
			tx.Discard(seq + 1)
		}
	})
	do(t, s, func(tx *Tx) {
		if l := tx.ledger; l.bytes[sharePending] != 0 || l.bytes[shareDead] != 0 || l.bytes[shareDelivered] != 0 {
			t.Errorf("the ledger of a store without deliveries is %+v", l)
		}
	})
}
