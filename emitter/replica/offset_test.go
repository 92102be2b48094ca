package replica

import (
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

func TestAnOffsetIsAsUnsureAsTheMessagesWereSlow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		duration := func(name string, from, to time.Duration) time.Duration {
			return time.Duration(rapid.Int64Range(int64(from), int64(to)).Draw(t, name))
		}
		ahead := duration("ahead", -time.Hour, time.Hour)
		there, held, back := duration("there", 0, time.Second), duration("held", 0, time.Second), duration("back", 0, time.Second)
		sent := time.Unix(1_800_000_000, 0)
		o, ok := MeasureOffset(sent.Add(there+held+ahead), sent, sent.Add(there+held+back), held)
		if off := (o.Ahead - ahead).Abs(); !ok || off > o.Unsure+1 || o.Unsure > (there+back)/2 {
			t.Errorf("it is %+v, %t, and %s off", o, ok, off)
		}
	})
}

func TestTheBestMeasurementOfAClockCountsForAWhile(t *testing.T) {
	const ms = time.Millisecond
	synctest.Test(t, func(t *testing.T) {
		var o Offset
		measure := func(ahead, unsure time.Duration) {
			sent := time.Now()
			m, ok := MeasureOffset(sent.Add(ahead+unsure), sent, sent.Add(2*unsure), 0)
			if !ok {
				t.Fatal("it was not measured")
			}
			o.Take(m)
		}
		f := func(after, ahead, unsure time.Duration, wantOK bool) {
			t.Helper()
			time.Sleep(after)
			if now, ok := o.Now(); now.Ahead != ahead || now.Unsure != unsure || ok != wantOK {
				t.Errorf("%s later, it is %s ± %s ahead, known %t; want %s ± %s, %t", after, now.Ahead, now.Unsure, ok, ahead, unsure, wantOK)
			}
		}
		f(0, 0, 0, false)
		measure(time.Second, ms)
		measure(time.Second+20*ms, 25*ms)
		f(10*time.Second, time.Second, 2*ms, true)
		measure(time.Second+ms, 2*ms)
		f(0, time.Second+ms, 2*ms, true)
		measure(2*time.Second, 25*ms) // it was set
		f(0, 2*time.Second, 25*ms, true)
		f(2*offsetTime, 0, 0, false)
		measure(2*time.Second, 50*ms)
		f(0, 2*time.Second, 50*ms, true)
	})
}

func TestAnOffsetIsNotMeasuredByAClockThatWasSet(t *testing.T) {
	sent := time.Unix(1_800_000_000, 0)
	if o, ok := MeasureOffset(sent, sent, sent.Add(-time.Second), 0); ok {
		t.Errorf("it is %+v", o)
	}
}
