package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

const (
	// consoles are open at once, and consoleRate is the navigations a second beside them.
	consoles    = 10
	consoleRate = 500
	// consoleRefresh is how often the overview of a console is loaded again.
	consoleRefresh = 5 * time.Second

	barConsole = 1.2
)

// console measures participants' responses while nobody looks, and while many do.
func (b *bench) console() error {
	of := b.builds[0]
	var alone, beside []time.Duration
	var ratios []float64
	for range b.rounds {
		one, err := b.consoleRound(of, 0)
		if err != nil {
			return err
		}
		other, err := b.consoleRound(of, consoles)
		if err != nil {
			return err
		}
		alone, beside = append(alone, one), append(beside, other)
		ratios = append(ratios, float64(other)/float64(one))
	}
	b.out.table(fmt.Sprintf("console: %d navigations a second; median of %d rounds of %v", consoleRate, b.rounds, b.duration), [][]string{
		{"build", "consoles", "p99 of a response, ms"},
		{of.name, "0", millis(median(alone))},
		{of.name, fmt.Sprint(consoles), millis(median(beside))},
	})
	b.out.bar(median(ratios) <= barConsole, "p99 of a response with %d consoles %.2f × without ≤ %.1f ×", consoles, median(ratios), barConsole)
	return nil
}

// consoleRound returns the 99th percentile of a navigation's response beside n consoles.
func (b *bench) consoleRound(of build, n int) (p99 time.Duration, err error) {
	err = b.withCrowd(of, nil, func(s *sidecar, c *crowd) error {
		if err := b.warmUp(c); err != nil {
			return err
		}
		ctx, cancel := context.WithCancel(b.ctx)
		var looking sync.WaitGroup
		defer looking.Wait()
		defer cancel()
		open := make(chan error, n)
		for range n {
			looking.Go(func() { look(ctx, "http://"+s.admin, open) })
		}
		for range n {
			if err := <-open; err != nil {
				return err
			}
		}
		if err := c.walk(b.ctx, consoleRate, b.duration); err != nil {
			return err
		}
		p99 = percentile(c.ledger.waits, 99)
		return nil
	})
	return p99, err
}

// look is somebody with the live page and the overview open, until ctx ends. It
// sends on open once the feed is, or cannot be opened.
func look(ctx context.Context, console string, open chan<- error) {
	feed, err := get(ctx, console+"/console/feed")
	open <- err
	if err != nil {
		return
	}
	defer feed.Close()
	var reading sync.WaitGroup
	defer reading.Wait()
	reading.Go(func() { _, _ = io.Copy(io.Discard, feed) }) // until ctx ends
	ticker := time.NewTicker(consoleRefresh)
	defer ticker.Stop()
	for ctx.Err() == nil {
		if page, err := get(ctx, console+"/"); err == nil {
			_, _ = io.Copy(io.Discard, page)
			page.Close()
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
		}
	}
}

// get returns the body of a response with status 200. The caller closes it.
func get(ctx context.Context, url string) (io.ReadCloser, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "text/event-stream, text/html")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		response.Body.Close()
		return nil, fmt.Errorf("%s: status %d", url, response.StatusCode)
	}
	return response.Body, nil
}
