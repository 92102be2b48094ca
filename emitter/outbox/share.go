package outbox

import "math"

// share is a part of retention.size that nothing else can fill. Deliveries move
// between three of them.
type share int

const (
	sharePending share = iota
	shareDead
	shareDelivered
	shareJourneys
	sharePages
	shareCount
)

// percentages divide retention.size. Pending deliveries have the most, since only
// they are refused rather than dropped, and a target may be down for days.
// Delivered deliveries have what nothing else takes, and go first: they are history.
// The tenth that no share has is for them, for statistics, and for what the file's
// pages waste.
var percentages = [shareCount]int64{
	sharePending:   45,
	shareJourneys:  25,
	shareDead:      15,
	sharePages:     5,
	shareDelivered: 100,
}

// String returns the share's name in metrics.
func (s share) String() string {
	switch s {
	case sharePending:
		return "pending"
	case shareDead:
		return "dead"
	case shareDelivered:
		return "delivered"
	case shareJourneys:
		return "journeys"
	case sharePages:
		return "pages"
	case shareCount:
	}
	return "unknown"
}

const (
	// maxLaneDeliveries is how many pending deliveries a lane can have.
	maxLaneDeliveries = 1000
	// A lane can take a hundredth of what its target has for itself. It can take
	// minLaneBytes where that is less, though never more than an eighth: no few
	// participants can fill a target's share.
	minLaneBytes    = 4 << 20
	laneDivisor     = 100
	mostLaneDivisor = 8
)

// budget is retention.size in bytes, 0 without a bound.
type budget int64

// of returns how many bytes a share has.
func (b budget) of(s share) int64 {
	if b == 0 {
		return math.MaxInt64
	}
	return int64(b) / 100 * percentages[s]
}

// reserve returns how many bytes of pending deliveries each target always has room
// for: half of their share is divided equally.
func (b budget) reserve(l ledger) int64 { return b.of(sharePending) / 2 / max(l.targets, 1) }

// ofTarget returns how many bytes of pending deliveries a target can have. Of the
// other half of the share it can take as much as it leaves for the rest, so that
// those whose turn comes later find room beyond their reserve.
func (b budget) ofTarget(l ledger, pending int64) int64 {
	others := l.bytes[sharePending] - pending
	return b.reserve(l) + max(b.of(sharePending)/2-others, 0)/2
}

// ofLane returns how many bytes of pending deliveries a lane can have.
func (b budget) ofLane(l ledger) int64 {
	reserve := b.reserve(l)
	return min(max(reserve/laneDivisor, minLaneBytes), reserve/mostLaneDivisor)
}

// indexFootprint is about how much of the file the progress of a delivery and its
// places in the indexes take.
const indexFootprint = 320

// deliveryFootprint is about how much of the file a delivery takes, without its failure.
func deliveryFootprint(record []byte) int64 { return footprint(8+len(record)) + indexFootprint }

// failureFootprint is about how much of the file a failure takes, 0 for nil.
func failureFootprint(record []byte) int64 {
	if record == nil {
		return 0
	}
	return footprint(8 + len(record))
}
