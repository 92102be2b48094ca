package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// report prints tables, and bars beside figures.
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

// bar prints whether a bar is met. what names both the figure and the bar.
func (r *report) bar(met bool, what string, args ...any) {
	verdict := "met"
	if !met {
		verdict = "MISSED"
	}
	fmt.Fprintf(r.w, "bar: %s: %s\n", fmt.Sprintf(what, args...), verdict)
}

// versus prints the bar of a figure of this tree as a ratio to that of -before,
// if there is one. figures holds one per round.
func (r *report) versus(what string, atLeast float64, builds []build, figures map[string][]float64) {
	if len(builds) < 2 {
		return
	}
	is := median(ratios(figures[builds[0].name], figures[builds[1].name]))
	r.bar(is >= atLeast, "%s %.2f × before ≥ %.2f ×", what, is, atLeast)
}

// ratios compares two builds round by round, so that other load on the machine
// affects both alike.
func ratios(of, to []float64) (all []float64) {
	for i := range min(len(of), len(to)) {
		all = append(all, of[i]/to[i])
	}
	return all
}

// percentile sorts its argument.
func percentile[T int64 | float64 | time.Duration](all []T, p float64) (none T) {
	if len(all) == 0 {
		return none
	}
	slices.Sort(all)
	return all[int(float64(len(all)-1)*p/100)]
}

func median[T int64 | float64 | time.Duration](all []T) T {
	return percentile(slices.Clone(all), 50)
}

func millis(d time.Duration) string { return fmt.Sprintf("%.2f", float64(d)/float64(time.Millisecond)) }

func megabytes(n int64) string { return fmt.Sprintf("%.1f", float64(n)/(1<<20)) }

func perSecond(n int, took time.Duration) float64 {
	return float64(n) / max(took, time.Microsecond).Seconds()
}

func micros(d time.Duration, n int) string {
	return fmt.Sprintf("%.0f", float64(d)/float64(time.Microsecond)/float64(n))
}
