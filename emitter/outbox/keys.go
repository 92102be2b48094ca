package outbox

import (
	"crypto/sha256"
	"encoding/binary"
	"time"
)

// hashSize is the length of a hash in a key: 128 bits, so that nobody finds two
// that are the same.
const hashSize = 16

// The buckets of the file.
var (
	bucketMeta       = []byte("meta")
	bucketJourneys   = []byte("journeys")
	bucketJourneyAge = []byte("journey_age")
	bucketPages      = []byte("pages")
	bucketPageUse    = []byte("page_use")
	bucketUnsettled  = []byte("unsettled")
	bucketTargets    = []byte("targets")
	bucketDeliveries = []byte("deliveries")
	bucketIDs        = []byte("ids")
	bucketProgress   = []byte("progress")
	bucketFailures   = []byte("failures")
	bucketLanes      = []byte("lanes")
	bucketReady      = []byte("ready")
	bucketDone       = []byte("done")
	// bucketFiller is there only while Scrub runs.
	bucketFiller = []byte("filler")

	buckets = [][]byte{
		bucketMeta, bucketJourneys, bucketJourneyAge, bucketPages, bucketPageUse, bucketUnsettled, bucketTargets,
		bucketDeliveries, bucketIDs, bucketProgress, bucketFailures, bucketLanes, bucketReady, bucketDone,
	}
	// appended have keys that only grow; their pages are filled to the brim.
	appended = map[string]bool{
		string(bucketDeliveries): true, string(bucketProgress): true, string(bucketReady): true, string(bucketDone): true,
	}
)

type hash [hashSize]byte

func hashOf(parts ...string) hash {
	sum := sha256.New()
	for _, part := range parts {
		sum.Write([]byte(part))
	}
	return hash(sum.Sum(nil)[:hashSize])
}

// ownerSize is how much of a lane's hash says whose it is; the rest says which
// lane. Both are salted, so that nobody can choose a name to meet another's.
const ownerSize = hashSize / 2

// laneOf is the lane that a delivery is kept under, zero without one.
func (tx *Tx) laneOf(d *Delivery) (lane hash) {
	if d.Lane == "" {
		return lane
	}
	owner, key := hashOf(tx.salt, "owner", d.Owner), hashOf(tx.salt, "lane", d.Lane)
	copy(lane[:ownerSize], owner[:])
	copy(lane[ownerSize:], key[:])
	return lane
}

// copyID is the id under which a delivery is kept that was copied to another target.
func copyID(id, target string) hash { return hashOf(id, "\x00", target) }

func uint64Key(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

func laneKey(target uint32, lane hash) []byte {
	return append(binary.BigEndian.AppendUint32(nil, target), lane[:]...)
}

func doneKey(target uint32, state State, finished time.Time, seq uint64) []byte {
	key := append(binary.BigEndian.AppendUint32(nil, target), byte(state))
	key = binary.BigEndian.AppendUint64(key, uint64(nanos(finished)))
	return binary.BigEndian.AppendUint64(key, seq)
}

// lastUint64 is the number at the end of a key: a seq.
func lastUint64(key []byte) uint64 { return binary.BigEndian.Uint64(key[len(key)-8:]) }

// nanos and fromNanos keep the zero time apart from 1970.
func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func fromNanos(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}
