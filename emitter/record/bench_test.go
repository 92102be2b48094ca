package record

import (
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

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

// BenchmarkNavigate has a participant load two pages and complete the survey, each in a
// commit of its own or all in one.
func BenchmarkNavigate(b *testing.B) {
	visit := func(n int) (list []rules.Observation) {
		key := rules.Key{Instance: "3", Participant: fmt.Sprint("p", n)}
		one, two := &rules.Page{ID: "one", Number: 1, Name: new("Consent")}, &rules.Page{ID: "two", Number: 2, Name: new("Reasons")}
		for i, page := range []*rules.Page{one, two, nil} {
			list = append(list, rules.Observation{Kind: rules.Navigated, Journey: key, Survey: "5", FriendlyID: "fzd", Page: page, Loads: page != nil, At: time.Unix(int64(1e9+n*100+i*10), 0)})
		}
		list[0].Kind = rules.PageShown
		return list
	}
	f := func(name string, commits func(b *testing.B, d *testRecorder, observe func(*outbox.Tx, int))) {
		b.Run(name, func(b *testing.B) {
			d := benchRecorder(b)
			b.ReportAllocs()
			before := writtenBytes(b)
			b.ResetTimer()
			commits(b, d, func(tx *outbox.Tx, n int) {
				for _, o := range visit(n) {
					d.observe(tx, o)
				}
			})
			b.StopTimer()
			d.stop() // what is in the journal goes to the state file, too
			b.ReportMetric(float64(writtenBytes(b)-before)/float64(b.N), "written-B/op")
		})
	}
	f("commits=1", func(b *testing.B, d *testRecorder, observe func(*outbox.Tx, int)) {
		if err := d.store.Do(b.Context(), func(tx *outbox.Tx) {
			for n := range b.N {
				observe(tx, n)
			}
		}); err != nil {
			b.Fatal(err)
		}
	})
	f("commits=n", func(b *testing.B, d *testRecorder, observe func(*outbox.Tx, int)) {
		for n := range b.N {
			if err := d.store.Do(b.Context(), func(tx *outbox.Tx) { observe(tx, n) }); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// writtenBytes returns how much this process has written so far, 0 where nobody counts that.
func writtenBytes(b *testing.B) (n int64) {
	b.Helper()
	counters, err := os.ReadFile("/proc/self/io")
	if err != nil {
		return 0
	}
	if _, rest, ok := strings.Cut(string(counters), "wchar: "); ok {
		_, _ = fmt.Sscan(rest, &n)
	}
	return n
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
