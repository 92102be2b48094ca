package pipeline

import (
	"context"
	"slices"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"
)

// openTimeout is how long the first participants wait for the store to open.
const openTimeout = 2 * time.Second

// running is a part that was started.
type running struct {
	stop func() error
	// lost is logged if stop returns an error.
	lost string
}

// Start starts all parts, and returns once participants can be served. That takes a few
// seconds at most, and less if ctx ends. failed is called at once with an error that ends
// a part. Start must be called once.
func (p *Pipeline) Start(ctx context.Context, failed func(error)) {
	runOr := func(lost string, part func(context.Context) error) {
		p.running = append(p.running, running{Background(failed, part), lost})
	}
	run := func(part func(context.Context) error) {
		runOr("observations are lost: the state file could not be written before the end", part)
	}
	if r := p.Replicas; r != nil {
		run(endless(p.Recorder.Answer))
		run(r.Roster.Run)
		runOr("the last changes were not written: what was seen is kept, and what was delivered in the last moments may come again", p.Store.Run)
		run(endless(func(ctx context.Context) { p.Store.Lead(ctx, p.term) }))
		runOr("observations are lost: they could not be kept before the end", r.Seer.Run)
		run(endless(p.Recorder.CheckRelease))
		r.awaitOthers(ctx)
		return
	}
	run(p.Store.Run)
	p.awaitStore(ctx)
	run(p.Dispatcher.Run)
	run(endless(p.Recorder.Run))
	run(endless(p.Recorder.CheckRelease))
}

// Stop stops all parts, once nobody calls the Recorder any more, in the order in which
// an event travels: every observation is recorded, and so is the outcome of every
// attempt. That takes a few seconds at most. It ends the connection to what replicas
// share even where Start was not called.
func (p *Pipeline) Stop() {
	for _, part := range slices.Backward(p.running) {
		if err := part.stop(); err != nil {
			p.log.Error(part.lost, "error", err)
		}
	}
	p.running = nil
	p.Replicas.close()
}

// awaitStore gives the store a moment to open: until then, responses would be
// released before their observations are on disk. A store that cannot be opened
// logs why, and participants are served all the same.
func (p *Pipeline) awaitStore(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	_ = p.Store.Do(ctx, func(*outbox.Tx) {})
}

// endless is a part that ends with its context alone.
func endless(part func(context.Context)) func(context.Context) error {
	return func(ctx context.Context) error {
		part(ctx)
		return nil
	}
}

// Background runs a part until stop is called, which waits for its end and returns its
// error. An error is also passed to failed at once.
func Background(failed func(error), part func(context.Context) error) (stop func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		err := part(ctx)
		if err != nil {
			failed(err)
		}
		ended <- err
	}()
	return func() error {
		cancel()
		return <-ended
	}
}
