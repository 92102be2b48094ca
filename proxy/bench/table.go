package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// bars are the limits of sidehook's CPU time, as ratios to others.
var bars = map[string][]bar{
	"json": {{"haproxy", 1.05}, {"reverse-proxy", 0.5}},
	"blob": {{"haproxy", 0.75}},
	"mix":  {{"haproxy", 2}},
}

type bar struct {
	to    string
	ratio float64
}

// describe prints the machine and the sizes of the run.
func describe(out io.Writer, o options) {
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	load, _ := os.ReadFile("/proc/loadavg")
	fmt.Fprintf(out, "%s, Linux %s, %d CPUs, %s; load before: %s", runtime.Version(), strings.TrimSpace(string(kernel)), runtime.NumCPU(), runtime.GOARCH, load)
	fmt.Fprintf(out, "medians of %d rounds of %v; %d connections; %d thread(s) for each proxy\n", o.rounds, o.duration, connections, o.threads)
}

// printSamples prints the medians of each proxy and of its ratios to HAProxy.
func printSamples(out io.Writer, w workload, peers []peer, samples map[string][]sample) {
	fmt.Fprintf(out, "\n%s: %s\n", w.name, w.title)
	t := newTable(out)
	t.row("proxy", "req/s", "p50 ms", "p99 ms", "CPU µs/req", "peak MB", "failed", "req/s × haproxy", "CPU × haproxy")
	for _, p := range peers {
		m := medianOf(samples[p.name])
		rates := ratios(samples[p.name], samples["haproxy"], sample.rate)
		costs := ratios(samples[p.name], samples["haproxy"], sample.cost)
		t.row(
			p.name, fmt.Sprintf("%.0f", m.rate()), millis(m.p50), millis(m.p99), fmt.Sprintf("%.1f", m.cost()),
			fmt.Sprintf("%.1f", float64(m.peak)/1e6), fmt.Sprint(m.failed+m.refused), middle(rates), middle(costs),
		)
	}
	t.end()
	for _, b := range bars[w.name] {
		b.print(out, ratios(samples["sidehook"], samples[b.to], sample.cost))
	}
	if was := ratios(samples["sidehook"], samples["before"], sample.cost); len(was) > 0 {
		fmt.Fprintf(out, "CPU %s × before (rounds: %.2f)\n", middle(was), was)
	}
}

// print reports whether the median of sidehook's ratios in each round meets the bar.
func (b bar) print(out io.Writer, is []float64) {
	if len(is) == 0 {
		return
	}
	fmt.Fprintf(out, "bar: CPU ≤ %.2f × %s: %s, %s (rounds: %.2f)\n", b.ratio, b.to, middle(is), verdict(percentile(is, 50) <= b.ratio), is)
}

// ratios compares two proxies round by round, so that other load on the machine
// affects both alike.
func ratios(of, to []sample, figure func(sample) float64) (all []float64) {
	for i := range min(len(of), len(to)) {
		all = append(all, figure(of[i])/figure(to[i]))
	}
	return all
}

// middle formats the median of ratios.
func middle(ratios []float64) string {
	if len(ratios) == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", percentile(ratios, 50))
}

func verdict(met bool) string {
	if met {
		return "met"
	}
	return "MISSED"
}

// medianOf takes the median of each figure by itself, and adds up the failures.
func medianOf(samples []sample) (m sample) {
	m.requests = median(samples, func(s sample) int { return s.requests })
	m.took = median(samples, func(s sample) time.Duration { return s.took })
	m.p50 = median(samples, func(s sample) time.Duration { return s.p50 })
	m.p99 = median(samples, func(s sample) time.Duration { return s.p99 })
	m.cpu = median(samples, func(s sample) time.Duration { return s.cpu })
	m.peak = median(samples, func(s sample) int { return s.peak })
	for _, s := range samples {
		m.failed += s.failed
		m.refused += s.refused
	}
	return m
}

// median is the median of a figure, the lower one of an even number.
func median[S any, T cmp.Ordered](samples []S, figure func(S) T) T {
	figures := make([]T, 0, len(samples))
	for _, s := range samples {
		figures = append(figures, figure(s))
	}
	return percentile(figures, 50)
}

// percentile sorts its argument.
func percentile[T cmp.Ordered](figures []T, p int) (none T) {
	if len(figures) == 0 {
		return none
	}
	slices.Sort(figures)
	return figures[(len(figures)-1)*p/100]
}

func (s sample) rate() float64 { return float64(s.requests) / s.took.Seconds() }

// cost is the CPU time of a request, in microseconds.
func (s sample) cost() float64 { return float64(s.cpu) / float64(time.Microsecond) }

func millis(d time.Duration) string { return fmt.Sprintf("%.2f", float64(d)/float64(time.Millisecond)) }

// table prints rows with aligned columns.
type table struct{ w *tabwriter.Writer }

func newTable(out io.Writer) table { return table{tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)} }

func (t table) row(cells ...string) { fmt.Fprintln(t.w, strings.Join(cells, "\t")) }

func (t table) end() { _ = t.w.Flush() }
