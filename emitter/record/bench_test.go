package record

import (
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/config"
)

// benchRecorder is a recorder on a state in memory, for benchmarks.
func benchRecorder(b *testing.B) *testRecorder {
	b.Helper()
	logger := slog.New(slog.DiscardHandler)
	store := outbox.New(outbox.Options{Dir: memoryDir(b), Logger: logger})
	d := &testRecorder{t: b, store: store, Recorder: New(Options{
		Store: store, Profile: decsysProfile(b), Logger: logger,
		Config: &config.Config{
			Targets: map[string]config.Target{"lake": {Format: config.FormatStandard}},
			Rules:   []config.Rule{{To: []string{"lake"}}},
		},
	})}
	d.start()
	return d
}

// answers gives a participant so many answers of this size.
func (d *testRecorder) answers(participant string, n, size int) {
	d.begin("GET", "/api/progress/5/3/"+participant)(page(strings.ReplaceAll(showPage1, `"p"`, `"`+participant+`"`)))
	for i := range n {
		d.logs(participant, fmt.Sprint("item", i), size)
	}
	d.flush()
}

// An answer costs the same in a small journey and in a large one.
func BenchmarkObserve(b *testing.B) {
	for _, answers := range []int{1, 900} {
		b.Run(fmt.Sprintf("answers=%d", answers), func(b *testing.B) {
			d := benchRecorder(b)
			d.answers("p", answers, 50)
			x := rules.Exchange{Status: 204, RequestBody: []byte(`{"text":"an answer"}`)}
			match, _ := d.profile.Match([]byte("POST"), []byte("/api/log/3/p/item0/decsys.platform.COMPONENT_RESULTS"))
			o, _, err := d.profile.Observe(match, x)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			b.ResetTimer()
			// All in one transaction: what a commit costs is the store's.
			if err := d.store.Do(b.Context(), func(tx *outbox.Tx) {
				for range b.N {
					d.observe(tx, o)
				}
			}); err != nil {
				b.Fatal(err)
			}
		})
	}
}

// Answers of one participant while another floods the recorder with small
// requests: that other's journey does not matter, be it as large as it may.
func BenchmarkObserveBesideFlood(b *testing.B) {
	for _, answers := range []int{1, 70} { // 70 are 4 MB, of which a journey keeps 512 KiB
		b.Run(fmt.Sprintf("answers=%d", answers), func(b *testing.B) {
			d := benchRecorder(b)
			d.answers("mallory", answers, 60<<10)
			d.answers("p", 1, 50)
			var flood sync.WaitGroup
			var isOver atomic.Bool
			for range 8 {
				flood.Go(func() {
					for !isOver.Load() {
						d.begin("POST", "/api/log/3/mallory/one/decsys.platform.PAGE_LOAD")(rules.Exchange{Status: 204, RequestBody: []byte("{}")})
					}
				})
			}
			for b.Loop() {
				d.logs("p", "item0", 50)
			}
			isOver.Store(true)
			flood.Wait()
		})
	}
}
