package funnel

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestTheMedianIsExactToAFifth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfN(rapid.Int64Range(int64(shortest), int64(24*time.Hour)), 1, 200).Draw(t, "durations")
		h := Histogram{}
		for _, d := range list {
			h.Add(time.Duration(d))
		}
		slices.Sort(list)
		median, ok := h.Median()
		low, high := list[(len(list)-1)/2], list[len(list)/2]
		if is := float64(median); !ok || is < float64(low)/1.19 || is > float64(high)*1.19 {
			t.Fatalf("median %v of %v", median, list)
		}
	})
}

func TestMedians(t *testing.T) {
	f := func(want time.Duration, isKnown bool, durations ...time.Duration) {
		t.Helper()
		h := Histogram{}
		for _, d := range durations {
			h.Add(d)
		}
		got, ok := h.Median()
		if isNear := got >= want*9/10 && got <= want*11/10; !isNear || ok != isKnown {
			t.Errorf("the median of %v is %v, %t, want about %v, %t", durations, got, ok, want, isKnown)
		}
	}
	f(0, false)
	f(125*time.Millisecond, true, 0)
	f(10*time.Second, true, 10*time.Second)
	f(10*time.Second, true, time.Second, 10*time.Second, time.Hour)
	f(26*time.Hour, true, 400*24*time.Hour)
	if last := bounds[len(bounds)-1]; last < 24*time.Hour || last > 32*time.Hour {
		t.Errorf("the last bucket begins at %v", last)
	}
}
