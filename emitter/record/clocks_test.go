package record

import (
	"fmt"
	"testing"
	"time"
)

func TestAClockThatIsWrongTellsNoWrongTimes(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	f := func(what string, ahead []time.Duration, roundTrip time.Duration, want ...time.Duration) {
		t.Helper()
		var c clocks
		var all []string
		for i, a := range ahead {
			name := fmt.Sprint("replica-", i)
			all = append(all, name)
			c.measure(name, now.Add(roundTrip/2).Add(a), now, now.Add(roundTrip))
		}
		c.settle(all)
		for i, a := range ahead {
			if got := c.correct(all[i], now.Add(a)).Sub(now); got != want[i] {
				t.Errorf("%s: a time of %s is %s off, want %s", what, all[i], got, want[i])
			}
		}
	}
	const ms = time.Millisecond
	f("all are right", []time.Duration{0, ms, -ms}, ms, 0, ms, -ms)
	f("one is wrong", []time.Duration{0, 30 * time.Second, ms}, ms, 0, ms, ms)
	f("the leader's is wrong", []time.Duration{0, 30 * time.Second, 30*time.Second + ms}, ms, 30*time.Second, 30*time.Second, 30*time.Second+ms)
	f("nobody knows", []time.Duration{0, 20 * ms, -20 * ms}, 100*ms, 0, 20*ms, -20*ms)
}

func TestTheBestMeasurementOfAClockCountsForAWhile(t *testing.T) {
	start := time.Unix(1_800_000_000, 0)
	var c clocks
	measure := func(after, roundTrip, ahead time.Duration) {
		sent := start.Add(after)
		c.measure("a", sent.Add(roundTrip/2+ahead), sent, sent.Add(roundTrip))
	}
	f := func(after, want time.Duration, wantOK bool) {
		t.Helper()
		if o, ok := c.of("a", start.Add(after)); o.ahead != want || ok != wantOK {
			t.Errorf("after %s it is %s ahead, known %v; want %s, %v", after, o.ahead, ok, want, wantOK)
		}
	}
	f(0, 0, false)
	measure(0, 2*time.Millisecond, time.Second)
	measure(time.Second, 50*time.Millisecond, time.Second+20*time.Millisecond)
	f(2*time.Second, time.Second, true)
	measure(3*time.Second, 50*time.Millisecond, 2*time.Second) // it was set
	f(3*time.Second, 2*time.Second, true)
	f(2*time.Minute, 0, false)
	measure(2*time.Minute, 50*time.Millisecond, 2*time.Second)
	f(2*time.Minute+time.Second, 2*time.Second, true)
}
