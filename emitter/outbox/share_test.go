package outbox

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// However targets fill up, all together stay in the share, and one that comes late
// finds its reserve.
func TestTargetsHaveRoomAndStayInTheirShare(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		size := budget(rapid.Int64Range(minSize, 1<<40).Draw(r, "size"))
		count := rapid.IntRange(1, 20).Draw(r, "targets")
		l := ledger{targets: int64(count)}
		held := make([]int64, count)
		for range rapid.IntRange(0, 200).Draw(r, "steps") {
			target := rapid.IntRange(0, count-1).Draw(r, "target")
			more := rapid.Int64Range(1, max(2*size.ofTarget(l, held[target]), 1)).Draw(r, "bytes")
			if rapid.IntRange(0, 4).Draw(r, "what") == 0 {
				more = -min(more, held[target])
			} else if limit := size.ofTarget(l, held[target]); held[target]+more > limit {
				more = max(limit-held[target], 0)
			}
			held[target] += more
			l.bytes[sharePending] += more
			if l.bytes[sharePending] > size.of(sharePending) {
				r.Fatalf("%v of %d are pending", held, size.of(sharePending))
			}
		}
		for _, pending := range held {
			if reserve := size.of(sharePending) / 2 / int64(count); size.ofTarget(l, pending) < reserve {
				r.Fatalf("a target has room for %d, want %d at least", size.ofTarget(l, pending), reserve)
			}
		}
	})
}

func TestShares(t *testing.T) {
	f := func(what string, got, want int64) {
		t.Helper()
		if got != want {
			t.Errorf("%s is %d, want %d", what, got, want)
		}
	}
	const size budget = 2_000_000_000
	alone, ten := ledger{targets: 1}, ledger{targets: 10}
	f("the share of journeys", size.of(shareJourneys), 500_000_000)
	f("the room of a target alone", size.ofTarget(alone, 0), 675_000_000)
	f("the reserve of ten", size.reserve(ten), 45_000_000)
	f("the room of a lane", size.ofLane(alone), 4_500_000)
	f("the room of a lane at a small reserve", size.ofLane(ten), minLaneBytes)
	f("the room of a lane of a small store", budget(minSize).ofLane(alone), int64(minSize/100*45/2/8))
	f("the share without a bound", budget(0).of(shareDead), math.MaxInt64)
	if budget(0).ofTarget(ten, 1<<40) < 1<<60 || budget(0).ofLane(ten) < 1<<50 {
		t.Error("a store without a bound has one")
	}
	total := int64(0)
	for s := range shareCount {
		if s != shareDelivered {
			total += percentages[s]
		}
	}
	f("the sum of the shares", total, 90)
}
