package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

const (
	// pace is how many requests are sent per second, answered or not.
	pace = 500
	// p99Bar is the most that matching and recording may add to the 99th percentile.
	p99Bar = 5 * time.Millisecond
	// sampling is how often the store's commits are looked at.
	sampling = 100 * time.Millisecond
)

// paced is what the clients of one run waited.
type paced struct{ p50, p99, commit time.Duration }

// added prints what sidehook adds to requests that it watches, sent at a steady pace.
func (r *rig) added(out io.Writer) error {
	ways := []string{"no proxy", "sidehook-unwatched", "sidehook"}
	runs := map[string][]paced{}
	for range r.options.rounds {
		for _, way := range ways {
			run, err := r.pacedRun(way)
			if err != nil {
				return fmt.Errorf("added, %s: %w", way, err)
			}
			runs[way] = append(runs[way], run)
		}
	}
	fmt.Fprintf(out, "\nadded: %d requests/s that the profile decsys watches, durability strict\n", pace)
	t := newTable(out)
	t.row("proxy", "p50 ms", "p99 ms", "p50 added", "p99 added")
	medians := map[string]paced{}
	for _, way := range ways {
		m := medianRun(runs[way])
		medians[way] = m
		none := medians["no proxy"]
		t.row(way, millis(m.p50), millis(m.p99), millis(m.p50-none.p50), millis(m.p99-none.p99))
	}
	t.end()
	printAdded(out, medians["no proxy"], medians["sidehook"])
	return nil
}

func printAdded(out io.Writer, without, with paced) {
	p50, p99 := with.p50-without.p50, with.p99-without.p99
	fmt.Fprintf(out, "a commit of the same store, meanwhile: %s ms\n", millis(with.commit))
	fmt.Fprintf(out, "bar: p50 added ≤ 2 commits: %.2f commits, %s\n", float64(p50)/float64(max(1, with.commit)), verdict(p50 <= 2*with.commit))
	fmt.Fprintf(out, "bar: p99 added ≤ %s ms: %s ms, %s\n", millis(p99Bar), millis(p99), verdict(p99 <= p99Bar))
}

func medianRun(runs []paced) paced {
	return paced{
		p50:    median(runs, func(p paced) time.Duration { return p.p50 }),
		p99:    median(runs, func(p paced) time.Duration { return p.p99 }),
		commit: median(runs, func(p paced) time.Duration { return p.commit }),
	}
}

// pacedRun sends requests for the duration of a round, through the peer of that
// name or straight to the app.
func (r *rig) pacedRun(way string) (run paced, err error) {
	address, watched := r.appAt, func() []time.Duration { return nil }
	for _, p := range peers {
		if p.name != way {
			continue
		}
		proxy, err := r.launch(r.ctx, p, r.appAt)
		if err != nil {
			return run, err
		}
		defer proxy.end()
		address = proxy.Listen
		if p.profile == "decsys" {
			watched = r.watchCommits(proxy)
		}
	}
	waits, err := r.send(address)
	commits := watched()
	if err != nil {
		return run, err
	}
	return paced{percentile(waits, 50), percentile(waits, 99), percentile(commits, 50)}, nil
}

// watchCommits looks at the store until stop is called, which gives the mean
// time of a commit in each interval.
func (r *rig) watchCommits(proxy *running) (stop func() []time.Duration) {
	var commits []time.Duration
	var watching sync.WaitGroup
	ended := make(chan struct{})
	watching.Go(func() {
		before, _ := r.readMeters(proxy)
		for {
			select {
			case <-ended:
				return
			case <-time.After(sampling):
			}
			now, _ := r.readMeters(proxy)
			if commit := perCommit(before, now); commit > 0 {
				commits = append(commits, commit)
			}
			before = now
		}
	})
	return func() []time.Duration {
		close(ended)
		watching.Wait()
		return commits
	}
}

// isWatched tells whether the profile decsys watches the step and a
// participant is named in it.
func (s step) isWatched() bool {
	return strings.HasPrefix(s.Path, "/api/") && strings.Contains(s.Path, participant)
}
