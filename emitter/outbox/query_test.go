package outbox

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// shelf is a store with deliveries in all states: of crm 0 to 2 are delivered,
// 3 and 4 dead, 5 and 6 pending; of erp 7 is pending, by the rule end.
func shelf(t *testing.T) *Store {
	t.Helper()
	s, _ := testStore(t, t.TempDir())
	do(t, s, func(tx *Tx) {
		for n := range 8 {
			d := delivery("ann", n)
			if n == 7 {
				d.Target, d.Rule = "erp", "end"
			}
			tx.Enqueue(d)
		}
		for n := range 3 {
			tx.Delivered(uint64(n+1), Attempt{At: at(100 + n)})
		}
		tx.Dead(4, Attempt{At: at(110)})
		tx.Dead(5, Attempt{At: at(111)})
	})
	return s
}

// listAll lists page by page and gives the numbers of what is listed.
func listAll(t *testing.T, s *Store, q Query) (numbers []int) {
	t.Helper()
	for {
		list, rest, err := s.List(q)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range list {
			numbers = append(numbers, int(d.Seq)-1)
		}
		if q.After = rest; rest == "" {
			return numbers
		}
	}
}

func TestAQueryFindsWhatItSays(t *testing.T) {
	s := shelf(t)
	f := func(q Query, want ...int) {
		t.Helper()
		for _, limit := range []int{1, 2, 100} {
			q.Limit = limit
			if diff := cmp.Diff(want, listAll(t, s, q)); diff != "" {
				t.Errorf("%+v (-want +got):\n%s", q, diff)
			}
		}
	}
	f(Query{}, 5, 6, 3, 4, 0, 1, 2, 7)
	f(Query{NewestFirst: true}, 5, 6, 4, 3, 2, 1, 0, 7)
	f(Query{Target: "crm", States: []State{Dead}}, 3, 4)
	f(Query{States: []State{Waiting}}, 5, 6, 7)
	f(Query{States: []State{Delivered, Dead}}, 0, 1, 2, 3, 4)
	f(Query{Rule: "end"}, 7)
	f(Query{Since: at(2), Until: at(6)}, 5, 3, 4, 2)
	f(Query{States: []State{Delivered}, Before: at(102)}, 0, 1)
	f(Query{Target: "none"})
	f(Query{ID: "msg_ann_3"}, 3)
	f(Query{ID: "msg_ann_3", States: []State{Waiting}})
	f(Query{ID: "msg_ann_3", Target: "erp"})
	f(Query{ID: "msg_none"})
}

func TestAQueryLooksAtSoMuchAtATime(t *testing.T) {
	s, _ := testStore(t, t.TempDir())
	do(t, s, func(tx *Tx) {
		for n := range maxScan + 500 {
			d := delivery(fmt.Sprint(n), n)
			if n < maxScan+200 {
				d.Target = "erp"
			}
			tx.Enqueue(d)
		}
		d := delivery("first", 0)
		tx.Enqueue(d)
		tx.Redeliver(1, at(0)) // is pending: nothing
	})
	list, rest, err := s.List(Query{Rule: "none", Limit: 10})
	if err != nil || len(list) != 0 || rest == "" {
		t.Errorf("got %d and %q (%v), want none and where to go on", len(list), rest, err)
	}
	if got := listAll(t, s, Query{Target: "crm", Limit: 100}); len(got) != 301 {
		t.Errorf("%d are found, want 301", len(got))
	}
}

func TestAWrongCursorIsAnError(t *testing.T) {
	s := shelf(t)
	for _, after := range []string{"x", "00", "zz00000000"} {
		if _, _, err := s.List(Query{After: after, Limit: 1}); !errors.Is(err, ErrCursor) {
			t.Errorf("%q: got %v", after, err)
		}
	}
	if _, _, err := s.List(Query{After: "ffffffffff0011", Limit: 1}); err != nil {
		t.Errorf("a cursor of a target that is gone: %v", err)
	}
}

func TestRedeliveriesKeepTheirPaceAndLetOthersGoFirst(t *testing.T) {
	s := shelf(t)
	now := time.Now()
	do(t, s, func(tx *Tx) {
		if !tx.Redeliver(1, now) || !tx.Redeliver(4, now.Add(time.Hour)) || tx.Redeliver(4, now) || tx.Redeliver(99, now) {
			t.Error("what is done can be redelivered, once, and nothing else")
		}
		tx.Hasten("crm", nil, 100)
	})
	due, next, err := s.Due("crm", now.Add(time.Second), 10, nil)
	if err != nil || len(due) != 2 || due[0].ID != "msg_ann_5" || due[1].ID != "msg_ann_0" || !next.Equal(fromNanos(nanos(now.Add(time.Hour)))) {
		t.Errorf("due are %+v, then at %v, %v", due, next, err)
	}
	if due[0].Redelivered || !due[1].Redelivered {
		t.Errorf("only the second is a redelivery: %v %v", due[0].Redelivered, due[1].Redelivered)
	}
	do(t, s, func(tx *Tx) { tx.Delivered(1, Attempt{At: at(200)}) })
	if got := find(t, s, "msg_ann_0"); got.State != Delivered || !got.Redelivered {
		t.Errorf("it is %+v", got.Progress)
	}
	if got := dueIDs(t, s, "crm", at(0)); len(got) != 1 || got[0] != "msg_ann_5" {
		t.Errorf("the lane moved: %q", got)
	}
}

func TestADeliveryCanGoToAnotherTargetToo(t *testing.T) {
	s := shelf(t)
	f := func(seq uint64, want bool) {
		t.Helper()
		do(t, s, func(tx *Tx) {
			if got := tx.RedeliverTo(seq, "erp", at(0)); got != want {
				t.Errorf("seq %d: %v, want %v", seq, got, want)
			}
		})
	}
	f(4, true)
	f(4, false) // is on its way
	f(6, true)  // pending where it was
	f(99, false)
	list, _, err := s.List(Query{ID: "msg_ann_3", Target: "erp"})
	if err != nil || len(list) != 1 {
		t.Fatalf("it is not there: %v, %v", list, err)
	}
	there, err := s.Load(list[0].Seq)
	if err != nil {
		t.Fatal(err)
	}
	here := find(t, s, "msg_ann_3")
	if here.Target != "crm" || here.State != Dead || string(there.Body) != string(here.Body) || there.Rule != here.Rule || !there.Redelivered || there.State != Waiting {
		t.Errorf("here %+v\nthere %+v", here, there)
	}
	if got := listAll(t, s, Query{ID: "msg_ann_3", Limit: 9}); len(got) != 2 {
		t.Errorf("found are %v, want both", got)
	}
	do(t, s, func(tx *Tx) { tx.Delivered(there.Seq, Attempt{At: at(1)}); tx.Discard(here.Seq) })
	if again, _ := s.Load(there.Seq); again == nil || again.State != Delivered {
		t.Errorf("it went with the other: %+v", again)
	}
	f(there.Seq, true) // once more
	if known, _ := s.Target("erp"); known.Pending != 3 || known.Delivered != 0 {
		t.Errorf("erp has %+v, want 3 pending", known)
	}
}

func TestWhatIsDiscardedIsNotSentAndWhatFollowsIs(t *testing.T) {
	s := shelf(t)
	before := s.Withdrawals()
	do(t, s, func(tx *Tx) {
		if !tx.Discard(7) || tx.Discard(7) { // behind
			t.Error("it is discarded once")
		}
	})
	if s.Withdrawals() == before {
		t.Error("nobody hears of it")
	}
	do(t, s, func(tx *Tx) { tx.Enqueue(delivery("ann", 8)); tx.Discard(6) }) // the head
	if diff := cmp.Diff([]string{"msg_ann_8"}, dueIDs(t, s, "crm", at(0))); diff != "" {
		t.Errorf("what is due (-want +got):\n%s", diff)
	}
	do(t, s, func(tx *Tx) { tx.Discard(1); tx.Discard(4); tx.Retry(6, Attempt{}, Retry{Due: at(1)}) })
	known, _ := s.Target("crm")
	if known.Pending != 1 || known.Dead != 1 || known.Delivered != 2 {
		t.Errorf("the target has %+v", known)
	}
	if known.PendingBytes == 0 || known.PendingBytes > 500 {
		t.Errorf("pending are %d bytes", known.PendingBytes)
	}
	do(t, s, func(tx *Tx) { tx.Discard(9) })
	if known, _ = s.Target("crm"); known.PendingBytes != 0 {
		t.Errorf("pending are %d bytes, want 0", known.PendingBytes)
	}
}
