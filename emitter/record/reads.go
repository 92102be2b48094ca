package record

import (
	"context"

	"golang.org/x/sync/semaphore"
)

// Bounds of the bodies that are read at the same time, in bytes. HTML, XML and forms
// take many times their size in memory while they are read.
const (
	// largeRead is from where a body waits for other large ones, so that strangers'
	// large ones do not delay the pages of a survey.
	largeRead     = 128 << 10
	maxSmallReads = 512 << 10
	maxLargeReads = 1 << 20
)

// reads are the bodies that are being read. Use newReads to make one.
type reads struct {
	small, large *semaphore.Weighted
}

func newReads() *reads {
	return &reads{semaphore.NewWeighted(maxSmallReads), semaphore.NewWeighted(maxLargeReads)}
}

// begin waits until bodies of that size may be read, for as long as reading those
// before them takes, and returns how to end it.
func (r *reads) begin(size int) (end func()) {
	if size == 0 {
		return func() {}
	}
	turns, weight := r.small, int64(size)
	if size >= largeRead {
		turns, weight = r.large, min(weight, maxLargeReads)
	}
	_ = turns.Acquire(context.Background(), weight) // reading ends: it neither waits nor blocks
	return func() { turns.Release(weight) }
}
