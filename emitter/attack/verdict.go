package main

import (
	"fmt"
	"time"
)

const (
	barMemory = 256 << 20
	barLog    = 256 << 10
	barDelay  = 2
	// leastDelay is what a shared machine adds by itself now and then.
	leastDelay = 5 * time.Millisecond
	// oneBatch is by how much the state folder may be larger than retention.size.
	oneBatch = 8 << 20
)

// outcome is what was measured.
type outcome struct {
	attack                  string
	expected, arrived, late int
	// before, beside and after are how long honest responses took.
	before, beside, after []time.Duration
	atRisk                float64
	peakMemory            int64
	peakDisk, sizeLimit   int64
	sent                  int64
	took                  time.Duration
	// missed are the bars that were found missed so far.
	missed []string
}

// verdict is an outcome with all bars that are missed.
type verdict struct {
	outcome
	missed []string
	// slow is what was too slow, in a large run. It does not fail the run, for it may be
	// the machine that is slow.
	slow string
	// known is what the attack is known to do, empty if it is to fail.
	known string
}

// judge compares an outcome with the bars. Delays are judged in large runs only,
// because small ones share the machine with each other.
func judge(out outcome, err error, isLarge bool) verdict {
	v := verdict{outcome: out, missed: out.missed, known: knownFailures[out.attack]}
	note := func(isMissed bool, format string, args ...any) {
		if isMissed {
			v.missed = append(v.missed, fmt.Sprintf(format, args...))
		}
	}
	if err != nil {
		note(true, "the attack could not be played: %v", err)
		return v
	}
	note(out.peakMemory >= barMemory, "RssAnon reached %d MB, the bar is %d MB", out.peakMemory>>20, barMemory>>20)
	note(out.peakDisk > out.sizeLimit+oneBatch, "the state folder reached %d MB, retention.size is %d MB", out.peakDisk>>20, out.sizeLimit>>20)
	before, after := max(percentile(out.before, 99), leastDelay), percentile(out.after, 99)
	if isLarge && after > barDelay*before {
		v.slow = fmt.Sprintf("p99 afterwards is %v, before it was %v", after.Round(time.Millisecond), before.Round(time.Millisecond))
	}
	return v
}

// String is the verdict in a word or two.
func (v verdict) String() string {
	switch {
	case len(v.missed) == 0 && v.known != "":
		return "met, known to fail"
	case len(v.missed) == 0 && v.slow != "":
		return "met, but SLOW"
	case len(v.missed) == 0:
		return "met"
	case v.known != "":
		return "known to fail"
	default:
		return "MISSED"
	}
}
