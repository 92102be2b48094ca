package main

import (
	"fmt"
	"os"
	"time"
)

const (
	// settleTime is how long a process is left alone before its memory is read.
	settleTime = 2 * time.Second

	barIdleBytes   = 20 << 20
	barBinaryBytes = 20 << 20
)

// idle prints the size of the binary, and the memory of a sidecar that has nothing to do.
func (b *bench) idle() error {
	rows := [][]string{{"build", "binary MB", "RssAnon MB"}}
	var sizes, memory []int64
	for _, of := range b.builds {
		binary, err := os.Stat(of.path)
		if err != nil {
			return err
		}
		s, err := b.start(of, setting{state: b.state(), app: nowhere, targets: map[string]string{"receiver": nowhere}})
		if err != nil {
			return err
		}
		b.sleep(min(settleTime, b.duration))
		sizes, memory = append(sizes, binary.Size()), append(memory, s.RssAnon())
		rows = append(rows, []string{of.name, megabytes(binary.Size()), megabytes(s.RssAnon())})
		if err := s.stop(); err != nil {
			return err
		}
	}
	b.out.table("idle: a sidecar that was started and left alone", rows)
	b.out.bar(memory[0] <= barIdleBytes, "RssAnon %s MB ≤ %d MB", megabytes(memory[0]), barIdleBytes>>20)
	b.out.bar(sizes[0] <= barBinaryBytes, "binary %s MB ≤ %d MB", megabytes(sizes[0]), barBinaryBytes>>20)
	return nil
}

// reopen measures a restart, from the start of the process to the first connection accepted.
func (b *bench) reopen() error {
	rows := [][]string{{"build", "queued", "ms to serve"}}
	for _, of := range b.builds {
		for _, n := range []int{0, b.deliveries} {
			filled, err := b.fill(of, 0, n, answerText)
			if err != nil {
				return err
			}
			var times []time.Duration
			for range b.rounds {
				s, err := b.start(of, setting{state: filled.state, app: nowhere, targets: map[string]string{"receiver": nowhere}})
				if err != nil {
					return err
				}
				times = append(times, s.starting)
				if err := s.stop(); err != nil {
					return err
				}
			}
			os.RemoveAll(filled.state)
			rows = append(rows, []string{of.name, fmt.Sprint(n), millis(median(times))})
		}
	}
	b.out.table(fmt.Sprintf("reopen: from the start of the process to participants served, with the state file open; median of %d", b.rounds), rows)
	return nil
}
