package outbox

import (
	"flag"
	"fmt"
	"math"
	"os"
	"testing"
)

var openJourneys = flag.Int("open-journeys", 1000, "open journeys in the benchmarks of silences")

// openStore is a store with open journeys, last heard in the first minute.
func openStore(b *testing.B) (s *Store, stop func()) {
	b.Helper()
	s, stop = testStore(b, b.TempDir())
	head := make([]byte, 200)
	for n := 0; n < *openJourneys; n += maxBatch {
		do(b, s, func(tx *Tx) {
			for i := n; i < min(n+maxBatch, *openJourneys); i++ {
				tx.PutJourney(fmt.Sprintf("7\x00%032d", i), head, awaiting(at(0)))
			}
		})
	}
	return s, stop
}

// A minute in which no silence is due costs the same however many journeys are open.
func BenchmarkMinute(b *testing.B) {
	s, _ := openStore(b)
	b.ReportAllocs()
	for b.Loop() {
		do(b, s, func(tx *Tx) {
			tx.PassMinute()
			if keys, _ := tx.Silent(math.MaxInt32, "", 64); len(keys) > 0 {
				b.Error("somebody is silent")
			}
		})
	}
}

// All journeys fall silent in the same minute.
func BenchmarkSilence(b *testing.B) {
	head := make([]byte, 200)
	for range b.N {
		b.StopTimer()
		s, stop := openStore(b)
		pass(b, s, 2)
		written := bytesWritten()
		b.StartTimer()
		for isEnd := false; !isEnd; {
			do(b, s, func(tx *Tx) {
				keys, next := tx.Silent(0, "", 64)
				for _, key := range keys {
					tx.PutJourney(key, head, seen(at(0)))
				}
				isEnd = next == ""
			})
		}
		b.StopTimer()
		stop()
		b.ReportMetric(float64(bytesWritten()-written)/float64(*openJourneys), "written/journey")
		b.StartTimer()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N**openJourneys), "ns/journey")
}

// bytesWritten is how many bytes this process has passed to the kernel to write, 0
// where nobody counts them.
func bytesWritten() (n int64) {
	io, err := os.ReadFile("/proc/self/io")
	if err == nil {
		_, _ = fmt.Sscanf(string(io), "rchar: %d\nwchar: %d", new(int64), &n)
	}
	return n
}
