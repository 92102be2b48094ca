package funnel

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func anyCounts(t *rapid.T) *Counts {
	c := &Counts{}
	for _, counter := range rapid.SliceOfN(rapid.Uint8Range(0, uint8(counterCount)-1), 0, 50).Draw(t, "counters") {
		c.Add(Counter(counter))
	}
	for _, ms := range rapid.SliceOfN(rapid.IntRange(-10, 100_000_000), 0, 50).Draw(t, "times") {
		c.Took(time.Duration(ms) * time.Millisecond)
	}
	return c
}

func TestCountsAreDecodedAsTheyWereEncoded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := anyCounts(t)
		encoded := want.Encode()
		got, err := Decode(encoded)
		if err != nil || got != *want {
			t.Fatalf("decoded %v, %v, want %v", got, err, *want)
		}
		if len(encoded) > MaxEncoded {
			t.Fatalf("%d bytes, more than %d", len(encoded), MaxEncoded)
		}
	})
}

func TestTheLargestCountsHaveTheLargestSize(t *testing.T) {
	c := Counts{}
	for n := range c.values {
		c.values[n] = 1<<64 - 1
	}
	for n := range c.times {
		c.times[n] = 1<<64 - 1
	}
	if size := len(c.Encode()); size != MaxEncoded {
		t.Errorf("%d bytes, want %d", size, MaxEncoded)
	}
	before := c
	if c.Merge(&before); c != before {
		t.Error("merging overflowed")
	}
}

func TestMergingIsCountingTogether(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := anyCounts(t), anyCounts(t)
		ab, ba := *a, *b
		ab.Merge(b)
		ba.Merge(a)
		if ab != ba {
			t.Fatalf("%v and %v differ", ab, ba)
		}
		for c := range counterCount {
			if ab.Of(c) != a.Of(c)+b.Of(c) {
				t.Fatalf("%s: %d and %d make %d", c, a.Of(c), b.Of(c), ab.Of(c))
			}
		}
	})
}

func TestWhoHasReturnedIsNotGone(t *testing.T) {
	f := func(abandoned, returned int, want uint64) {
		t.Helper()
		c := &Counts{}
		for range abandoned {
			c.Add(Abandoned)
		}
		for range returned {
			c.Add(Returned)
		}
		if got := Gone(c.Of(Abandoned), c.Of(Returned)); got != want {
			t.Errorf("%d abandoned, %d returned: %d gone, want %d", abandoned, returned, got, want)
		}
	}
	f(0, 0, 0)
	f(3, 1, 2)
	f(1, 2, 0) // abandoned on a day before the first that is looked at
}

func TestDamagedCountsAreAnError(t *testing.T) {
	for _, damaged := range [][]byte{nil, {}, {9}, {1, 0x80}, {0, 1}, {0, 75, 1, 0, 1}, {0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 1}} {
		if c, err := Decode(damaged); err == nil || c != (Counts{}) {
			t.Errorf("decoded %x as %v, %v", damaged, c, err)
		}
	}
}

func TestCountersOfALaterReleaseAreLeftOut(t *testing.T) {
	got, err := Decode([]byte{9, 5, 0, 0, 0, 0, 0, 0, 7, 7, 3, 2})
	want := Counts{}
	want.values[Started], want.times[3] = 5, 2
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(Counts{})); diff != "" || err != nil {
		t.Error(err, diff)
	}
}

func FuzzDecode(f *testing.F) {
	c := Counts{}
	c.Add(Reached)
	c.Took(time.Minute)
	f.Add(c.Encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := Decode(b)
		if err != nil {
			return
		}
		if again, err := Decode(c.Encode()); err != nil || again != c {
			t.Errorf("%v became %v, %v", c, again, err)
		}
	})
}
