package jetstream

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"
)

// runStore runs a store that is one of several, or alone without a log, until stop.
func runStore(t *testing.T, dir string, log outbox.Log) (s *outbox.Store, stop func()) {
	t.Helper()
	s = outbox.New(outbox.Options{Dir: dir, Logger: slog.New(slog.DiscardHandler), Log: log})
	ctx, cancel := context.WithCancel(t.Context())
	running, serving := make(chan struct{}), make(chan struct{})
	go func() { defer close(running); _ = s.Run(ctx) }()
	go func() {
		defer close(serving)
		s.Lead(ctx, func(ctx context.Context) { <-ctx.Done() })
	}()
	stop = func() { cancel(); <-serving; <-running }
	t.Cleanup(stop)
	return s, stop
}

// put stores a journey at the replica that leads.
func put(t *testing.T, s *servers, leader *outbox.Store, key string) {
	t.Helper()
	s.await("change", func() bool {
		return leader.Do(bounded(t), func(tx *outbox.Tx) {
			tx.PutJourney(key, []byte("{}"), outbox.Mark{LastExchange: time.Now()})
		}) == nil
	})
}

func has(s *outbox.Store, key string) bool {
	keys, err := s.JourneyKeys(key, "")
	return err == nil && len(keys) == 1
}

func TestNewReplicasLoadTheStateThatAnotherHasPutIntoTheLog(t *testing.T) {
	s := newServers(t, 1)
	dir := t.TempDir()
	single, stop := runStore(t, dir, nil)
	put(t, s, single, "1\x00ann")
	stop()
	a, _ := runStore(t, dir, s.connect())
	put(t, s, a, "1\x00bob")
	b, _ := runStore(t, t.TempDir(), s.connect())
	s.await("replica that has loaded the first snapshot and follows", func() bool { return has(b, "1\x00ann") && has(b, "1\x00bob") })
	if err := a.Scrub(bounded(t)); err != nil {
		t.Fatal(err)
	}
	log := s.connect()
	if first, _, err := log.Extent(bounded(t)); err != nil || first < 3 {
		t.Errorf("after the scrub the log begins with entry %d (%v)", first, err)
	}
	if names, err := log.Snapshots(bounded(t)); err != nil || len(names) != 1 {
		t.Errorf("after the scrub there are the snapshots %q (%v)", names, err)
	}
	put(t, s, a, "1\x00cyd")
	c, _ := runStore(t, t.TempDir(), s.connect())
	s.await("replica that has loaded the last snapshot and follows", func() bool { return has(c, "1\x00ann") && has(c, "1\x00cyd") })
}
