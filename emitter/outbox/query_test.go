package outbox

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// storeInAllStates returns a store with deliveries in all states: of crm, 0 to 2
// are delivered, 3 and 4 dead, 5 and 6 pending; of erp, 7 is pending, by the rule end.
func storeInAllStates(t *testing.T) *Store {
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

// listAll lists page by page and returns the numbers of the deliveries.
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

func TestQuerySelectsDeliveries(t *testing.T) {
	s := storeInAllStates(t)
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

func TestListLooksAtABoundedNumberOfRecords(t *testing.T) {
	s, _ := testStore(t, t.TempDir())
	const step = 500 // small enough for the race detector on a busy machine
	for from := 0; from < maxScan+500; from += step {
		do(t, s, func(tx *Tx) {
			for n := from; n < from+step; n++ {
				d := delivery(fmt.Sprint(n), n)
				if n < maxScan+200 {
					d.Target = "erp"
				}
				tx.Enqueue(d)
			}
		})
	}
	do(t, s, func(tx *Tx) {
		tx.Enqueue(delivery("first", 0))
		tx.Redeliver(1, at(0)) // pending: does nothing
	})
	list, rest, err := s.List(Query{Rule: "none", Limit: 10})
	if err != nil || len(list) != 0 || rest == "" {
		t.Errorf("got %d deliveries and cursor %q (%v), want none and a cursor", len(list), rest, err)
	}
	if got := listAll(t, s, Query{Target: "crm", Limit: 100}); len(got) != 301 {
		t.Errorf("found %d deliveries, want 301", len(got))
	}
}

func TestUnknownCursorIsAnError(t *testing.T) {
	s := storeInAllStates(t)
	for _, after := range []string{"x", "00", "zz00000000"} {
		if _, _, err := s.List(Query{After: after, Limit: 1}); !errors.Is(err, ErrCursor) {
			t.Errorf("%q: got %v", after, err)
		}
	}
	if _, _, err := s.List(Query{After: "ffffffffff0011", Limit: 1}); err != nil {
		t.Errorf("cursor of a target that does not exist: %v", err)
	}
}
