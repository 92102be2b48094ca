package outbox

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"iter"
	"time"

	bolt "go.etcd.io/bbolt"
)

// The buckets of the file; see the package documentation.
var (
	bucketMeta         = []byte("meta")
	bucketJourneys     = []byte("journeys")
	bucketJourneyParts = []byte("journey_parts")
	bucketJourneyAge   = []byte("journey_age")
	bucketEventlessAge = []byte("eventless_age")
	bucketPages        = []byte("pages")
	bucketPageUse      = []byte("page_use")
	bucketUnsettled    = []byte("unsettled")
	bucketTargets      = []byte("targets")
	bucketDeliveries   = []byte("deliveries")
	bucketIDs          = []byte("ids")
	bucketProgress     = []byte("progress")
	bucketFailures     = []byte("failures")
	bucketLanes        = []byte("lanes")
	bucketReady        = []byte("ready")
	bucketDone         = []byte("done")
	// bucketFiller exists only while Scrub runs.
	bucketFiller = []byte("filler")

	buckets = [][]byte{
		bucketMeta, bucketJourneys, bucketJourneyParts, bucketJourneyAge, bucketEventlessAge, bucketPages, bucketPageUse,
		bucketUnsettled, bucketTargets, bucketDeliveries, bucketIDs, bucketProgress, bucketFailures, bucketLanes, bucketReady, bucketDone,
	}
	// growing buckets get ever larger keys.
	growing = map[string]bool{
		string(bucketDeliveries): true, string(bucketProgress): true, string(bucketReady): true, string(bucketDone): true,
	}
)

// keys yields the keys of a bucket that begin with prefix, in their order, from
// start on or, if that is nil, all of them. A key is valid until the bucket is
// changed, which must not happen before the end of the loop.
func keys(b *bolt.Bucket, prefix, start []byte) iter.Seq[[]byte] {
	if start == nil {
		start = prefix
	}
	return func(yield func([]byte) bool) {
		cursor := b.Cursor()
		for key, _ := cursor.Seek(start); key != nil && bytes.HasPrefix(key, prefix); key, _ = cursor.Next() {
			if !yield(key) {
				return
			}
		}
	}
}

// hashSize is the length of a hash in a key: 128 bits, so that nobody finds a collision.
const hashSize = 16

type hash [hashSize]byte

func hashOf(parts ...string) hash {
	sum := sha256.New()
	for _, part := range parts {
		sum.Write([]byte(part))
	}
	return hash(sum.Sum(nil)[:hashSize])
}

// copyID is the key in ids of a delivery that was copied to another target.
func copyID(id, target string) hash { return hashOf(id, "\x00", target) }

func uint64Key(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// lastUint64 returns the number at the end of a key: a seq.
func lastUint64(key []byte) uint64 { return binary.BigEndian.Uint64(key[len(key)-8:]) }

// nanos and fromNanos convert times to Unix nanoseconds, and the zero time to 0.
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
