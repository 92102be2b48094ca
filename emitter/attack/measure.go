package main

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	memoryInterval = 10 * time.Millisecond
	diskInterval   = 200 * time.Millisecond
)

// measure samples the process until the returned function is called, which
// returns the most anonymous memory and the largest state folder, in bytes.
func (b *battle) measure() (stop func() (memory, disk int64)) {
	var peakMemory, peakDisk int64
	ended := make(chan struct{})
	var sampling sync.WaitGroup
	every := func(interval time.Duration, sample func()) {
		sampling.Go(func() {
			for {
				b.crowd.gate.RLock() // a restart replaces the process
				sample()
				b.crowd.gate.RUnlock()
				select {
				case <-ended:
					return
				case <-time.After(interval):
				}
			}
		})
	}
	every(memoryInterval, func() { peakMemory = max(peakMemory, b.side.RssAnon()) })
	every(diskInterval, func() { peakDisk = max(peakDisk, b.side.onDisk()) })
	return func() (int64, int64) {
		close(ended)
		sampling.Wait()
		return peakMemory, peakDisk
	}
}

// leaks describes what a log has of honest participants.
func leaks(log string, participants []string) (list []string) {
	if strings.Contains(log, strings.TrimSpace(answerMarker)) {
		list = append(list, "an honest answer is in the log")
	}
	if slices.ContainsFunc(participants, func(id string) bool { return strings.Contains(log, id) }) {
		list = append(list, "the id of an honest participant is in the log")
	}
	return list
}

// percentile sorts its argument.
func percentile(all []time.Duration, p int) time.Duration {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[(len(all)-1)*p/100]
}

// delays are the 50th and 99th percentile, in milliseconds.
func delays(all []time.Duration) string {
	millis := func(p int) float64 { return float64(percentile(all, p)) / float64(time.Millisecond) }
	return fmt.Sprintf("%.1f/%.0f", millis(50), millis(99))
}
