package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/rules"

	"github.com/sidehook/sidehook/emitter/record"
	"github.com/sidehook/sidehook/rules/config"
)

const (
	// fewJourneys is what large numbers are compared with.
	fewJourneys = 10_000
	// callers wait for the disk at the same time.
	callers = 64
	// barFlat is how much dearer an event may be in a large store.
	barFlat = 1.5
)

// situation is a store as an event may find it.
type situation struct{ journeys, queued int }

// spent is what events cost.
type spent struct {
	took, cpu, commit time.Duration
	commits           uint64
	written           int64
}

// cost measures what it takes to record an event and queue its delivery, in
// stores of different sizes.
func (b *bench) cost() error {
	rows := [][]string{{"open journeys", "queued", "events/s", "CPU µs each", "ms per commit", "events per commit", "KB written each"}}
	var all []spent
	for _, s := range []situation{{fewJourneys, 0}, {b.journeys, 0}, {fewJourneys, b.queued}} {
		one, err := b.record(s)
		if err != nil {
			return err
		}
		all = append(all, one)
		rows = append(rows, []string{
			fmt.Sprint(s.journeys), fmt.Sprint(s.queued), fmt.Sprintf("%.0f", perSecond(b.events, one.took)), micros(one.cpu, b.events),
			millis(one.commit / time.Duration(one.commits)), fmt.Sprintf("%.0f", float64(b.events)/float64(one.commits)),
			fmt.Sprintf("%.1f", float64(one.written)/1024/float64(b.events)),
		})
	}
	b.out.table(fmt.Sprintf("cost: %d navigations of different participants, recorded on disk with one delivery each; %d at a time", b.events, callers), rows)
	for i, what := range []string{"more journeys", "more queued"} {
		is := float64(all[i+1].cpu) / float64(all[0].cpu)
		b.out.bar(is <= barFlat, "CPU of an event with %s %.2f × ≤ %.1f ×", what, is, barFlat)
	}
	return nil
}

// record records events in a store of its own.
func (b *bench) record(in situation) (s spent, err error) {
	state := b.state(fmt.Sprintf("cost-%d-%d", in.journeys, in.queued))
	store, stop := b.store(state)
	defer func() { err = errors.Join(err, stop(), os.RemoveAll(state)) }()
	recorder, err := newRecorder(store, state)
	if err != nil {
		return s, err
	}
	if err := b.inSteps(store, in.queued, func(tx *outbox.Tx, i int) { tx.Enqueue(backlogged(i, 1<<10)) }); err != nil {
		return s, err
	}
	if err := b.openJourneys(store, recorder, in.journeys); err != nil {
		return s, err
	}
	before := usage(store)
	began := time.Now()
	var calling sync.WaitGroup
	for caller := range callers {
		calling.Go(func() {
			for n := caller; n < b.events; n += callers {
				id := participantID(n * (in.journeys / min(b.events, in.journeys)) % in.journeys)
				tell(recorder, http.MethodPost, nextPath(id), nil, shown(id, 1+n/in.journeys))
			}
		})
	}
	calling.Wait()
	after := usage(store)
	return spent{
		took: time.Since(began), cpu: after.cpu - before.cpu, commit: after.commit - before.commit,
		commits: after.commits - before.commits, written: after.written - before.written,
	}, nil
}

func newRecorder(store *outbox.Store, state string) (*record.Recorder, error) {
	source := fmt.Sprintf("{app: 'http://127.0.0.1:9', state: '%s', targets: {receiver: {url: 'http://127.0.0.1:9', secret: env:S}}, rules: [{to: [receiver]}]}", state)
	cfg, err := config.Parse("bench.yaml", []byte(source), func(string) (string, bool) { return secret, true }, os.ReadFile)
	if err != nil {
		return nil, err
	}
	profile, err := rules.LoadProfile(cfg.Profile)
	if err != nil {
		return nil, err
	}
	return record.New(record.Options{
		Store: store, Profile: profile, Config: cfg, Logger: slog.New(slog.DiscardHandler),
	}), nil
}

// openJourneys makes n journeys of participants who have answered the first
// page: one by the way of all exchanges, the others after it.
func (b *bench) openJourneys(store *outbox.Store, recorder *record.Recorder, n int) error {
	model := participantID(-1)
	tell(recorder, http.MethodGet, pathOf(model), nil, shown(model, 0))
	tell(recorder, http.MethodPost, loadPath(model, 0), []byte("{}"), nil)
	tell(recorder, http.MethodPost, answerPath(model, 0), answerBody(), nil)
	key := func(id string) string { return rules.Key{Instance: "7", Participant: id}.Text() }
	var journey string
	if err := store.Do(b.ctx, func(tx *outbox.Tx) {
		data, _ := tx.Journey(key(model))
		journey = string(data)
	}); err != nil {
		return err
	}
	return b.inSteps(store, n, func(tx *outbox.Tx, i int) { tx.PutJourney(key(participantID(i)), []byte(journey), time.Now()) })
}

// tell hands an exchange to the recorder as the proxy does.
func tell(recorder *record.Recorder, method, path string, request, response []byte) {
	x := rules.Exchange{Status: http.StatusNoContent, RequestBody: request}
	if response != nil {
		x.Status, x.ContentType, x.ResponseBody = http.StatusOK, "application/json", response
	}
	if end := recorder.Begin([]byte(method), []byte(path)); end != nil {
		end(x)
	}
}

// usage is what this process and the store have spent so far.
func usage(store *outbox.Store) spent {
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r) // it can't fail for oneself
	stats := store.Stats()
	s := spent{
		cpu:     time.Duration(r.Utime.Nano() + r.Stime.Nano()),
		commits: stats.Commits, commit: stats.CommitTime,
	}
	io, _ := os.ReadFile("/proc/self/io")
	for line := range strings.Lines(string(io)) {
		_, _ = fmt.Sscanf(line, "write_bytes: %d", &s.written)
	}
	return s
}
