package outbox

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// lanes is the number of participants of the benchmarks.
const lanes = 10_000

// BenchmarkEnqueue adds deliveries of 1 KiB to a backlog; 64 callers wait for the
// disk each time.
func BenchmarkEnqueue(b *testing.B) {
	for _, backlog := range []int{0, 100_000, 1_000_000} {
		b.Run(fmt.Sprintf("backlog=%d", backlog), func(b *testing.B) {
			s := filled(b, backlog)
			b.ResetTimer()
			var callers sync.WaitGroup
			for caller := range 64 {
				callers.Go(func() {
					for n := caller; n < b.N; n += 64 {
						d := benchDelivery(backlog + n)
						if err := s.Do(context.Background(), func(tx *Tx) { tx.Enqueue(d) }); err != nil {
							b.Error(err)
						}
					}
				})
			}
			callers.Wait()
			report(b, s)
		})
	}
}

// BenchmarkDrain takes deliveries from a backlog, as for a target that responds
// in no time: it reads them and then notes on disk that they are delivered.
func BenchmarkDrain(b *testing.B) {
	for _, backlog := range []int{0, 100_000, 1_000_000} {
		b.Run(fmt.Sprintf("backlog=%d", backlog), func(b *testing.B) {
			s := filled(b, backlog+b.N)
			b.ResetTimer()
			for taken := 0; taken < b.N; {
				due, _, err := s.Due("crm", time.Now(), min(64, b.N-taken), nil)
				if err != nil || len(due) == 0 {
					b.Fatalf("%d are due: %v", len(due), err)
				}
				err = s.Do(context.Background(), func(tx *Tx) {
					for _, d := range due {
						tx.Delivered(d.Seq, Attempt{At: time.Now(), Status: 200})
					}
				})
				if err != nil {
					b.Fatal(err)
				}
				taken += len(due)
			}
			report(b, s)
		})
	}
}

// BenchmarkOpen opens a file with a backlog.
func BenchmarkOpen(b *testing.B) {
	for _, backlog := range []int{100_000, 1_000_000} {
		b.Run(fmt.Sprintf("backlog=%d", backlog), func(b *testing.B) {
			dir := b.TempDir()
			s, stop := testStore(b, dir)
			fill(b, s, backlog)
			stop()
			for b.Loop() {
				_, stop := testStore(b, dir)
				stop()
			}
		})
	}
}

// filled returns a store with n pending deliveries.
func filled(b *testing.B, n int) *Store {
	b.Helper()
	s, _ := testStore(b, b.TempDir())
	fill(b, s, n)
	return s
}

func fill(b *testing.B, s *Store, n int) {
	b.Helper()
	const step = 1000
	for from := 0; from < n; from += step {
		err := s.Do(context.Background(), func(tx *Tx) {
			for i := from; i < min(from+step, n); i++ {
				tx.Enqueue(benchDelivery(i))
			}
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

func benchDelivery(n int) Delivery {
	return Delivery{
		ID: fmt.Sprintf("msg_%032x", hashOf(fmt.Sprint(n))), Target: "crm", Rule: "all", Lane: fmt.Sprint(n % lanes),
		Event: "page_navigation", Survey: "12/3", ContentType: "application/json", Body: bytes.Repeat([]byte("x"), 1024), Created: time.Now(),
	}
}

// report adds deliveries per second, and the memory that is not the mapped file.
func report(b *testing.B, s *Store) {
	b.Helper()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "deliveries/s")
	b.ReportMetric(float64(s.Stats().FileBytes)/(1<<20), "file-MiB")
	runtime.GC()
	b.ReportMetric(rssAnon(), "RssAnon-MiB")
}

func rssAnon() float64 {
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		var kilobytes float64
		if _, err := fmt.Sscanf(line, "RssAnon: %f kB", &kilobytes); err == nil {
			return kilobytes / 1024
		}
	}
	return 0
}

// BenchmarkCommit is how long one caller waits for the disk while nobody else writes.
func BenchmarkCommit(b *testing.B) {
	s := filled(b, 0)
	for n := 0; b.Loop(); n++ {
		d := benchDelivery(n)
		if err := s.Do(context.Background(), func(tx *Tx) { tx.Enqueue(d) }); err != nil {
			b.Fatal(err)
		}
	}
	report(b, s)
}
