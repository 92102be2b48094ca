package admin

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"
)

// A delivery that is delivered again while a redelivery of delivered ones is
// under way must not be selected again and again.
func TestARedeliveryOfDeliveredDeliveriesEnds(t *testing.T) {
	s := newServer(t)
	s.change(t, func(tx *outbox.Tx) { tx.Delivered(1, outbox.Attempt{At: time.Now().Add(-time.Minute)}) })
	first, err := readSelection(url.Values{"state": {"delivered"}}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	s.change(t, func(tx *outbox.Tx) {
		tx.Redeliver(1, time.Now())
		tx.Delivered(1, outbox.Attempt{At: time.Now()})
	})
	if list, _, err := s.config.Store.List(first.query); err != nil || len(list) != 0 {
		t.Errorf("it is selected again: %v, %v", list, err)
	}
}

func TestTheNextStepContinuesWhereTheLastOneEnded(t *testing.T) {
	now := time.Now()
	want := cursor{began: now.Add(-time.Hour).Round(0), due: now.Add(time.Hour).Round(0), position: "ff"}
	text, err := want.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	next, err := readSelection(url.Values{"state": {"delivered"}, "after": {string(text)}}, now)
	if err != nil || !next.query.Before.Equal(want.began) || !next.start.due.Equal(want.due) || next.query.After != want.position {
		t.Errorf("%s became %+v (%v)", text, next, err)
	}
	late, err := readSelection(url.Values{"state": {"delivered"}, "after": {string(text)}}, now.Add(2*time.Hour))
	if err != nil || !late.start.due.Equal(now.Add(2*time.Hour)) {
		t.Errorf("a pace that has fallen behind starts at %v (%v), want now", late.start.due, err)
	}
}

func TestAStepWithoutDeliveriesKeepsThePace(t *testing.T) {
	now := time.Now().Round(0)
	s := selection{start: cursor{began: now, due: now.Add(time.Hour)}}
	done, err := s.finish(step{}, 0, "ff")
	if err != nil {
		t.Fatal(err)
	}
	var next cursor
	if err := next.UnmarshalText([]byte(done.After)); err != nil || next.position != "ff" || !next.due.Equal(s.start.due) || !next.began.Equal(now) {
		t.Errorf("the next step starts at %+v (%v)", next, err)
	}
}

func TestACursorKeepsItsText(t *testing.T) {
	f := func(text string, isValid bool) {
		t.Helper()
		var c cursor
		if err := c.UnmarshalText([]byte(text)); (err == nil) != isValid {
			t.Errorf("%q: %v", text, err)
			return
		}
		if got, _ := c.MarshalText(); isValid && string(got) != text {
			t.Errorf("%q became %q", text, got)
		}
	}
	f("1700000000000000000.1700000000000000001.00ff", true)
	f("1700000000000000000.1700000000000000001.", true)
	f("1700000000000000000.1700000000000000001.a.b", true)
	f("", false)
	f("1.2", false)
	f("x.2.ff", false)
	f("1.x.ff", false)
	f("99999999999999999999.2.ff", false)
}

func TestWithoutAStateDeadDeliveriesAreSelected(t *testing.T) {
	f := func(query, want string) {
		t.Helper()
		values, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		selected, err := readSelection(values, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		var states []string
		for _, state := range selected.query.States {
			states = append(states, state.String())
		}
		if got := strings.Join(states, " "); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	f("target=crm", "dead")
	f("id=msg_1", "")
	f("state=waiting", "waiting")
	f("target=crm&state=delivered", "delivered")
}

// change makes a change of the store, which must succeed.
func (s *server) change(t *testing.T, fn func(*outbox.Tx)) {
	t.Helper()
	if err := s.Admin.change(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}
