package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"
)

const (
	// participants of a backlog.
	participants = 10_000
	// step is how many records one commit makes.
	step = 1000
)

// store opens a state folder until stop.
func (b *bench) store(state string) (s *outbox.Store, stop func() error) {
	s = outbox.New(outbox.Options{Dir: state, Logger: slog.New(slog.DiscardHandler)})
	ctx, cancel := context.WithCancel(b.ctx)
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	return s, func() error {
		cancel()
		return <-ended
	}
}

// fill makes a state folder with n deliveries of bodies of size bytes.
func (b *bench) fill(state string, n, size int) error {
	s, stop := b.store(state)
	err := b.inSteps(s, n, func(tx *outbox.Tx, i int) { tx.Enqueue(backlogged(i, size)) })
	if stopErr := stop(); err == nil {
		err = stopErr
	}
	return err
}

// inSteps commits change for 0 to n-1.
func (b *bench) inSteps(s *outbox.Store, n int, change func(tx *outbox.Tx, i int)) error {
	for from := 0; from < n; from += step {
		err := s.Do(b.ctx, func(tx *outbox.Tx) {
			for i := from; i < min(from+step, n); i++ {
				change(tx, i)
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// backlogged is a delivery whose body says whose it is, and which one of theirs.
func backlogged(i, size int) outbox.Delivery {
	body := fmt.Appendf(nil, `{"participant":%d,"place":%d,"rest":"`, i%participants, i/participants)
	body = append(body, bytes.Repeat([]byte("x"), size-len(body)-2)...)
	return outbox.Delivery{
		ID: fmt.Sprintf("msg_%024d", i), Target: "receiver", Rule: "all", Lane: fmt.Sprint(i % participants),
		Event: "page_navigation", Survey: "fzd", ContentType: "application/json", Body: append(body, '"', '}'), Created: time.Now(),
	}
}
