package record

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestTimesOfAReplicaAreAsUnsureAsItsClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, sent := clocks{}, time.Now()
		c.measure("ahead", sent.Add(time.Second+time.Millisecond), sent, sent.Add(2*time.Millisecond))
		f := func(incarnation string, wantAhead, wantUnsure time.Duration) {
			t.Helper()
			if local, unsure := c.local(incarnation, sent.Add(wantAhead)); !local.Equal(sent) || unsure != wantUnsure {
				t.Errorf("%s: a time is %s off by %s, want %s", incarnation, local.Sub(sent), unsure, wantUnsure)
			}
		}
		f("ahead", time.Second, time.Millisecond)
		f("unknown", 0, unmeasuredClock)
	})
}
