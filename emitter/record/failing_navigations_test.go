package record

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sidehook/sidehook/rules"
)

func TestAnAppThatFailsAtEveryNavigationIsLoggedOnce(t *testing.T) {
	f := func(name string, want int, steps func(d *testRecorder)) {
		t.Run(name, func(t *testing.T) {
			dir := memoryDir(t)
			synctest.Test(t, func(t *testing.T) {
				d := newTestRecorder(t, dir)
				var log bytes.Buffer
				d.failing.log = slog.New(slog.NewTextHandler(&log, nil))
				d.get(showPage1)
				steps(d)
				if got := strings.Count(log.String(), "the app fails every navigation"); got != want {
					t.Errorf("logged %d times, want %d:\n%s", got, want, log.String())
				}
				if want > 0 && (!strings.Contains(log.String(), "status=500") || !strings.Contains(log.String(), "workshop mode")) {
					t.Errorf("the status or the profile's hint is missing:\n%s", log.String())
				}
			})
		})
	}
	// A minute apart, so that it is not the limit of one line a minute that keeps it at one.
	fail := func(d *testRecorder, times, status int) {
		for range times {
			time.Sleep(time.Minute)
			d.begin("POST", "/api/progress/5/3/p/next")(rules.Exchange{Status: status})
		}
	}
	f("in workshop mode", 1, func(d *testRecorder) { fail(d, 1000, 500) })
	f("two clicks too many", 0, func(d *testRecorder) { fail(d, 2, 500) })
	f("now and then among successes", 0, func(d *testRecorder) {
		for range 10 {
			fail(d, 1, 500)
			d.next(showPage1)
		}
	})
	f("it recovers and fails again", 2, func(d *testRecorder) { fail(d, 10, 500); d.next(showPage2); fail(d, 10, 500) })
	f("there is no response, which the proxy logs", 0, func(d *testRecorder) { fail(d, 10, 0) })
	f("the participant is at fault", 0, func(d *testRecorder) { fail(d, 10, 400) })
	f("it fails to show pages", 0, func(d *testRecorder) {
		for range 10 {
			d.begin("GET", "/api/progress/5/3/p")(rules.Exchange{Status: 500})
		}
	})
}
