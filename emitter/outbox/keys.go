package outbox

import (
	"crypto/sha256"
	"encoding/binary"
	"time"
)

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

func appendUint64s(to []byte, numbers ...uint64) []byte {
	for _, n := range numbers {
		to = binary.BigEndian.AppendUint64(to, n)
	}
	return to
}

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
