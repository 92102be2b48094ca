package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	// pace is how many requests are sent per second, whether or not earlier ones
	// have a response.
	pace = 500
	// The most that matching and recording may add: a ratio to one write and
	// fdatasync of the same bytes, and a time.
	p50Bar = 1.5
	p99Bar = 3 * time.Millisecond
	// sampling is the interval at which the store's commits are read.
	sampling = 100 * time.Millisecond

	noProxy = "no proxy"
)

// paced is how long the clients of one run waited.
type paced struct{ p50, p99, commit time.Duration }

// added prints the latency that builds of sidehook add to watched requests, sent
// at a steady pace.
func (r *rig) added(peers []peer, out io.Writer) error {
	ways := []string{noProxy}
	for _, p := range onlySidehook(peers) {
		ways = append(ways, p.name)
	}
	runs := map[string][]paced{}
	var floor []time.Duration
	for range r.options.rounds {
		one, err := r.syncs()
		if err != nil {
			return err
		}
		floor = append(floor, one)
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
	t.row("proxy", "p50 ms", "p99 ms", "p50 added", "p99 added", "ms per commit")
	none := medianRun(runs[noProxy])
	for _, way := range ways {
		m := medianRun(runs[way])
		t.row(way, millis(m.p50), millis(m.p99), millis(m.p50-none.p50), millis(m.p99-none.p99), millis(m.commit))
	}
	t.end()
	if with := runs["sidehook"]; with != nil {
		printAdded(out, none, medianRun(with), percentile(floor, 50))
	}
	return nil
}

func printAdded(out io.Writer, without, with paced, floor time.Duration) {
	p99 := with.p99 - without.p99
	ratio := float64(with.p50-without.p50) / float64(floor)
	fmt.Fprintf(out, "one write and fdatasync of the same bytes: %s ms\n", millis(floor))
	fmt.Fprintf(out, "bar: p50 added ≤ %.1f × that: %.2f, %s\n", p50Bar, ratio, verdict(ratio <= p50Bar))
	fmt.Fprintf(out, "bar: p99 added ≤ %s ms: %s ms, %s\n", millis(p99Bar), millis(p99), verdict(p99 <= p99Bar))
}

// syncs measures, for the duration of a round, the median time of one write and
// fdatasync of the bytes of a watched exchange.
func (r *rig) syncs() (time.Duration, error) {
	file, err := os.CreateTemp(r.dir, "syncs-")
	if err != nil {
		return 0, fmt.Errorf("cannot make a file to sync: %w", err)
	}
	defer os.Remove(file.Name())
	defer file.Close()
	var took []time.Duration
	until := time.Now().Add(r.options.duration)
	for i := 0; time.Now().Before(until); i++ {
		s := r.session[i%len(r.session)]
		if !s.isWatched() {
			continue
		}
		at := time.Now()
		_, err := file.WriteString(s.Path + s.Request + s.Response)
		if err := errors.Join(err, syscall.Fdatasync(int(file.Fd()))); err != nil {
			return 0, fmt.Errorf("cannot sync a file: %w", err)
		}
		took = append(took, time.Since(at))
		time.Sleep(time.Second/pace - time.Since(at))
	}
	return percentile(took, 50), nil
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
	address, commitTimes := r.appAt, func() []time.Duration { return nil }
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
		commitTimes = r.watchCommits(proxy)
	}
	waits, err := r.send(address)
	commits := commitTimes()
	if err != nil {
		return run, err
	}
	return paced{percentile(waits, 50), percentile(waits, 99), percentile(commits, 50)}, nil
}

// watchCommits reads the store's metrics until stop is called, which returns
// the mean time of a commit in each interval.
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

// isWatched reports whether the profile decsys watches the step and its path
// names a participant.
func (s step) isWatched() bool {
	return strings.HasPrefix(s.Path, "/api/") && strings.Contains(s.Path, participant)
}
