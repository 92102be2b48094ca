package live

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// activityAt returns an Activity and its clock.
func activityAt(start time.Time) (*Activity, *time.Time) {
	now := start
	a := New()
	a.now = func() time.Time { return now }
	a.participants.since = now
	return a, &now
}

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func TestMinutesOfTheLastHourAreCounted(t *testing.T) {
	a, now := activityAt(noon)
	a.Recorded(Entry{})
	*now = noon.Add(59 * time.Minute)
	a.Attempted(Entry{Outcome: "delivered"})
	a.Attempted(Entry{Outcome: "retried", Reason: "timeout"})
	first, last := a.Snapshot().Minutes[0], a.Snapshot().Minutes[59]
	if want := (Minute{Start: noon, Events: 1}); first != want {
		t.Errorf("first minute %+v, want %+v", first, want)
	}
	if want := (Minute{Start: *now, Delivered: 1, Failed: 1}); last != want {
		t.Errorf("last minute %+v, want %+v", last, want)
	}
	*now = noon.Add(60 * time.Minute)
	if first := a.Snapshot().Minutes[0]; first.Events != 0 || !first.Start.Equal(noon.Add(time.Minute)) {
		t.Errorf("an hour later the first minute is %+v", first)
	}
}

// splitmix returns a hash of n.
func splitmix(n uint64) uint64 {
	n = (n + 1) * 0x9e3779b97f4a7c15
	n = (n ^ n>>30) * 0xbf58476d1ce4e5b9
	n = (n ^ n>>27) * 0x94d049bb133111eb
	return n ^ n>>31
}

func TestParticipantsAreEstimatedWithinFivePercent(t *testing.T) {
	for _, want := range []int{0, 1, 10, 1000, 20_000} {
		a, now := activityAt(noon)
		for n := range want {
			for range 3 {
				a.Seen(splitmix(uint64(n)))
			}
		}
		*now = now.Add(4 * time.Minute)
		got := a.Snapshot()
		if allowed := math.Ceil(float64(want) * 0.05); math.Abs(float64(got.Now-want)) > allowed || got.Today != got.Now {
			t.Errorf("%d participants: now %d, today %d", want, got.Now, got.Today)
		}
		*now = now.Add(2 * time.Minute)
		if later := a.Snapshot(); later.Now != 0 || later.Today != got.Today {
			t.Errorf("six minutes later: now %d, want 0; today %d, want %d", later.Now, later.Today, got.Today)
		}
		*now = noon.Add(12 * time.Hour)
		if later := a.Snapshot(); later.Today != 0 {
			t.Errorf("after midnight: today %d, want 0", later.Today)
		}
	}
}

func TestSubscriptionGetsWhatItsFilterSelects(t *testing.T) {
	a, _ := activityAt(noon)
	f := func(filter Filter, want ...string) {
		t.Helper()
		s, err := a.Subscribe(filter)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		a.Recorded(Entry{Event: "completion", Survey: "fzd"})
		a.Attempted(Entry{Event: "completion", Survey: "fzd", Target: "crm", Outcome: "delivered"})
		a.Attempted(Entry{Event: "page_navigation", Survey: "abc", Target: "erp", Outcome: "retried", Reason: "timeout"})
		entries, missed := s.Take(10)
		var got []string
		for _, e := range entries {
			got = append(got, string(e.Kind)+" "+e.Event+" "+e.Target)
		}
		if diff := cmp.Diff(want, got); diff != "" || missed != 0 {
			t.Errorf("%+v: %d missed, (-want +got):\n%s", filter, missed, diff)
		}
	}
	f(Filter{}, "event completion ", "attempt completion crm", "attempt page_navigation erp")
	f(Filter{Survey: "fzd"}, "event completion ", "attempt completion crm")
	f(Filter{Target: "erp"}, "attempt page_navigation erp")
	f(Filter{Event: "completion", Outcome: "delivered"}, "attempt completion crm")
}

func TestNobodyWaitsForASubscriptionThatIsFull(t *testing.T) {
	a, _ := activityAt(noon)
	s, err := a.Subscribe(Filter{})
	if err != nil {
		t.Fatal(err)
	}
	for range subscriptionSize + 5 {
		a.Recorded(Entry{})
	}
	if entries, missed := s.Take(100); len(entries) != 100 || missed != subscriptionSize+5-100 {
		t.Errorf("%d entries and %d missed", len(entries), missed)
	}
	if entries, missed := s.Take(100); len(entries) != 0 || missed != 0 {
		t.Errorf("taken twice: %d entries and %d missed", len(entries), missed)
	}
}

func TestSubscriptionsAreBounded(t *testing.T) {
	a, _ := activityAt(noon)
	var last *Subscription
	for range maxSubscriptions {
		s, err := a.Subscribe(Filter{})
		if err != nil {
			t.Fatal(err)
		}
		last = s
	}
	if _, err := a.Subscribe(Filter{}); !errors.Is(err, ErrBusy) {
		t.Errorf("one too many: %v, want ErrBusy", err)
	}
	last.Close()
	if _, err := a.Subscribe(Filter{}); err != nil {
		t.Errorf("after one was closed: %v", err)
	}
}

func TestNilActivityTakesEverything(t *testing.T) {
	var a *Activity
	a.Seen(1)
	a.Recorded(Entry{})
	a.Attempted(Entry{})
}
