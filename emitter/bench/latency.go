package main

import (
	"fmt"
	"net/http"
	"time"

	"github.com/valyala/fasthttp"
)

const (
	// catchUp is how long webhooks may take once all participants have their answers.
	catchUp = 20 * time.Second
	// slowness is how long the slow target takes.
	slowness = time.Second
	// isolationRate is how many navigations a second the targets of the isolation run are told of.
	isolationRate = 200
)

// timed is how long webhooks took in one round.
type timed struct {
	p50, p99, longest time.Duration
	n, missing        int
}

// latency measures the time from a participant's answer to the webhook, through a whole sidecar.
func (b *bench) latency() error {
	rows := [][]string{{"navigations/s", "p50 ms", "p99 ms", "max ms", "webhooks", "missing"}}
	bars := map[int][2]time.Duration{100: {3 * time.Millisecond, 15 * time.Millisecond}}
	var judge []func()
	for _, rate := range []int{100, 500} {
		var rounds []timed
		for range b.rounds {
			round, err := b.walk(rate, nil)
			if err != nil {
				return err
			}
			rounds = append(rounds, round)
		}
		m := medianOf(rounds)
		rows = append(rows, m.row(fmt.Sprint(rate)))
		if bar, has := bars[rate]; has {
			judge = append(judge, func() {
				b.out.bar(m.p50 <= bar[0] && m.p99 <= bar[1], "%d/s, p50 %s ms ≤ %s ms, p99 %s ms ≤ %s ms",
					rate, millis(m.p50), millis(bar[0]), millis(m.p99), millis(bar[1]))
			})
		}
	}
	b.out.table(fmt.Sprintf("latency: from a participant's answer to the webhook, fsync on; median of %d rounds of %v", b.rounds, b.duration), rows)
	for _, f := range judge {
		f()
	}
	return nil
}

// isolation measures a healthy target's webhooks alone, then beside targets in trouble.
func (b *bench) isolation() error {
	troubled, stop, err := troubledTargets()
	if err != nil {
		return err
	}
	defer stop()
	var alone, beside []timed
	for range b.rounds {
		one, err := b.walk(isolationRate, nil)
		if err != nil {
			return err
		}
		other, err := b.walk(isolationRate, troubled)
		if err != nil {
			return err
		}
		alone, beside = append(alone, one), append(beside, other)
	}
	a, o := medianOf(alone), medianOf(beside)
	b.out.table(fmt.Sprintf("isolation: a healthy target told of %d navigations a second; median of %d rounds of %v", isolationRate, b.rounds, b.duration), [][]string{
		{"healthy target", "p50 ms", "p99 ms", "max ms", "webhooks", "missing"},
		a.row("alone"), o.row("beside a hung, a 500 and a slow one"),
	})
	b.out.bar(o.p99 <= 2*a.p99, "p99 %s ms ≤ 2 × %s ms", millis(o.p99), millis(a.p99))
	return nil
}

// walk starts a sidecar, lets a crowd take the survey, and measures what the
// healthy target gets; others are targets that are told of the same.
func (b *bench) walk(rate int, others map[string]string) (t timed, err error) {
	app, server, err := serve((&survey{at: map[string]int{}}).answer)
	if err != nil {
		return t, err
	}
	defer func() { _ = server.Shutdown() }()
	var c *crowd
	healthy, err := newReceiver(func(body []byte, at time.Time) { c.take(body, at) })
	if err != nil {
		return t, err
	}
	defer healthy.close()
	targets := map[string]string{"receiver": healthy.url}
	for name, url := range others {
		targets[name] = url
	}
	b.walks++
	s, err := b.start(b.state(fmt.Sprintf("walk-%d", b.walks)), app, targets)
	if err != nil {
		return t, err
	}
	c = newCrowd(s.participants)
	c.walk(rate, b.duration)
	for until := time.Now().Add(catchUp); c.missing() > 0 && time.Now().Before(until); {
		b.sleep(10 * time.Millisecond)
	}
	all := c.latencies()
	t = timed{p50: percentile(all, 50), p99: percentile(all, 99), longest: percentile(all, 100), n: len(all), missing: c.missing()}
	if err := s.stop(); err != nil {
		return t, err
	}
	return t, c.err
}

// troubledTargets are one that hangs, one that answers 500 and one that is slow.
func troubledTargets() (urls map[string]string, stop func(), err error) {
	ended := make(chan struct{})
	urls = map[string]string{}
	var servers []*fasthttp.Server
	stop = func() {
		close(ended)
		for _, server := range servers {
			_ = server.Shutdown()
		}
	}
	for name, handler := range map[string]fasthttp.RequestHandler{
		"hung":   func(*fasthttp.RequestCtx) { <-ended },
		"broken": func(ctx *fasthttp.RequestCtx) { ctx.SetStatusCode(http.StatusInternalServerError) },
		"slow":   func(*fasthttp.RequestCtx) { time.Sleep(slowness) },
	} {
		url, server, err := serve(handler)
		if err != nil {
			return nil, nil, err
		}
		urls[name] = url
		servers = append(servers, server)
	}
	return urls, stop, nil
}

// medianOf takes the median of each figure by itself; what is missing adds up.
func medianOf(rounds []timed) (m timed) {
	of := func(figure func(timed) time.Duration) time.Duration {
		var all []time.Duration
		for _, round := range rounds {
			all = append(all, figure(round))
		}
		return median(all)
	}
	m.p50 = of(func(t timed) time.Duration { return t.p50 })
	m.p99 = of(func(t timed) time.Duration { return t.p99 })
	m.longest = of(func(t timed) time.Duration { return t.longest })
	for _, round := range rounds {
		m.n += round.n
		m.missing += round.missing
	}
	return m
}

func (t timed) row(name string) []string {
	return []string{name, millis(t.p50), millis(t.p99), millis(t.longest), fmt.Sprint(t.n), fmt.Sprint(t.missing)}
}
