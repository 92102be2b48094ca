package record

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/sidehook/sidehook/rules"
)

func TestAnAppThatFailsAtEveryNavigationIsToldOfOnce(t *testing.T) {
	f := func(name string, want int, steps func(d *desk)) {
		t.Helper()
		d := newDesk(t, t.TempDir())
		var log bytes.Buffer
		now := time.Now()
		d.complain = newComplaints(slog.New(slog.NewTextHandler(&log, nil)), func() time.Time {
			now = now.Add(complaintEvery) // so that it is not the limit of complaints that keeps it at one
			return now
		})
		d.get(showPage1)
		steps(d)
		if got := strings.Count(log.String(), "fails at navigation after navigation"); got != want {
			t.Errorf("%s: it is said %d times, want %d:\n%s", name, got, want, log.String())
		}
		if want > 0 && (!strings.Contains(log.String(), "status=500") || !strings.Contains(log.String(), "workshop mode")) {
			t.Errorf("%s: it does not say what happens and what it may mean:\n%s", name, log.String())
		}
	}
	fail := func(d *desk, times, status int) {
		for range times {
			d.begin("POST", "/api/progress/5/3/p/next")(rules.Exchange{Status: status})
		}
	}
	f("in workshop mode", 1, func(d *desk) { fail(d, 1000, 500) })
	f("two clicks too many", 0, func(d *desk) { fail(d, 2, 500) })
	f("now and then among successes", 0, func(d *desk) {
		for range 10 {
			fail(d, 1, 500)
			d.next(showPage1)
		}
	})
	f("it recovers and fails again", 2, func(d *desk) { fail(d, 10, 500); d.next(showPage2); fail(d, 10, 500) })
	f("it is not there, which the proxy tells of", 0, func(d *desk) { fail(d, 10, 0) })
	f("the participant is at fault", 0, func(d *desk) { fail(d, 10, 400) })
	f("at pages rather than navigations", 0, func(d *desk) {
		for range 10 {
			d.begin("GET", "/api/progress/5/3/p")(rules.Exchange{Status: 500})
		}
	})
}
