package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// report prints tables, and bars beside what was measured.
type report struct{ w io.Writer }

// table prints rows, the first of which names the columns.
func (r *report) table(title string, rows [][]string) {
	fmt.Fprintf(r.w, "\n%s\n", title)
	t := tabwriter.NewWriter(r.w, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(t, strings.Join(row, "\t"))
	}
	_ = t.Flush()
}

// bar prints whether a bar was met; what says both the bar and the figure.
func (r *report) bar(met bool, what string, args ...any) {
	verdict := "met"
	if !met {
		verdict = "MISSED"
	}
	fmt.Fprintf(r.w, "bar: %s: %s\n", fmt.Sprintf(what, args...), verdict)
}

// percentile sorts its argument.
func percentile(all []time.Duration, p float64) time.Duration {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[int(float64(len(all)-1)*p/100)]
}

func median(all []time.Duration) time.Duration { return percentile(slices.Clone(all), 50) }

func millis(d time.Duration) string { return fmt.Sprintf("%.2f", float64(d)/float64(time.Millisecond)) }

func megabytes(n int64) string { return fmt.Sprintf("%.1f", float64(n)/(1<<20)) }

func perSecond(n int, took time.Duration) float64 { return float64(n) / took.Seconds() }

func micros(d time.Duration, n int) string {
	return fmt.Sprintf("%.0f", float64(d)/float64(time.Microsecond)/float64(n))
}
