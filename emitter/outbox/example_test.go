package outbox_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"
)

// Two deliveries of one lane are sent one after the other.
func Example() {
	dir, err := os.MkdirTemp("", "outbox")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	store := outbox.New(outbox.Options{Dir: dir, Logger: slog.New(slog.DiscardHandler)})
	ctx, stop := context.WithCancel(context.Background())
	stopped := make(chan error)
	go func() { stopped <- store.Run(ctx) }()

	change := func(fn func(*outbox.Tx)) {
		if err := store.Do(ctx, fn); err != nil { // waits until the change is on disk
			panic(err)
		}
	}
	printDue := func() {
		due, _, err := store.Due("crm", time.Now(), 10, nil)
		if err != nil {
			panic(err)
		}
		for _, d := range due {
			fmt.Printf("%s %s %s\n", d.ID, d.State, d.Body)
		}
	}
	change(func(tx *outbox.Tx) {
		tx.Enqueue(outbox.Delivery{ID: "msg_1", Target: "crm", Lane: "participant", Body: []byte(`{"page":1}`)})
		tx.Enqueue(outbox.Delivery{ID: "msg_2", Target: "crm", Lane: "participant", Body: []byte(`{"page":2}`)})
	})
	printDue()
	change(func(tx *outbox.Tx) { tx.Delivered(1, outbox.Attempt{At: time.Now(), Status: 200}) })
	printDue()

	stop()
	if err := <-stopped; err != nil {
		panic(err)
	}
	// Output:
	// msg_1 waiting {"page":1}
	// msg_2 waiting {"page":2}
}
