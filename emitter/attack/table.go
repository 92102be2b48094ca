package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

var columns = []string{
	"attack", "honest events", "arrived", "late", "p50/p99 ms before", "beside", "after",
	"at risk", "peak MB", "disk MB", "sent MB", "disk/sent", "took s", "bars",
}

func (v verdict) row() []string {
	perByte := "-"
	if v.sent > 0 {
		perByte = fmt.Sprintf("%.1f", float64(v.peakDisk)/float64(v.sent))
	}
	return []string{
		v.attack, fmt.Sprint(v.expected), fmt.Sprint(v.arrived), fmt.Sprint(v.late), delays(v.before), delays(v.beside), delays(v.after),
		fmt.Sprintf("%.0f", v.atRisk), megabytes(v.peakMemory), megabytes(v.peakDisk), megabytes(v.sent), perByte,
		fmt.Sprintf("%.1f", v.took.Seconds()), v.String(),
	}
}

func printTable(w io.Writer, verdicts []verdict) {
	fmt.Fprintf(w, "\nbeside each attack; late is more than %v after the response, at risk are responses released before they were on disk\n", lateAfter)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, strings.Join(columns, "\t"))
	for _, v := range verdicts {
		fmt.Fprintln(t, strings.Join(v.row(), "\t"))
	}
	_ = t.Flush()
}

// printVerdicts prints which bars were missed, and returns the exit status.
func printVerdicts(w io.Writer, verdicts []verdict) (status int) {
	fmt.Fprintln(w)
	for _, v := range verdicts {
		for _, missed := range v.missed {
			fmt.Fprintf(w, "%s: %s: %s\n", v.attack, v.String(), missed)
		}
		if v.slow != "" {
			fmt.Fprintf(w, "%s: slow: %s\n", v.attack, v.slow)
		}
		switch {
		case v.known == "" && len(v.missed) > 0:
			status = 1
		case v.known != "" && len(v.missed) == 0:
			fmt.Fprintf(w, "%s: known to fail, but every bar is met; once it is with -large too, remove it from knownFailures (%s)\n", v.attack, v.known)
		case v.known != "":
			fmt.Fprintf(w, "%s: known to fail: %s\n", v.attack, v.known)
		}
	}
	fmt.Fprintf(w, "%d attacks\n", len(verdicts))
	return status
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f", float64(n)/(1<<20)) }
