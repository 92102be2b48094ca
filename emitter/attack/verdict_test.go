package main

import (
	"errors"
	"testing"
	"time"
)

func TestVerdictNamesTheBarsThatAreMissed(t *testing.T) {
	f := func(out outcome, isLarge bool, want int) {
		t.Helper()
		out.attack, out.sizeLimit = "an attack", 16<<20
		if v := judge(out, nil, isLarge); len(v.missed) != want {
			t.Errorf("%d bars are missed, want %d: %q", len(v.missed), want, v.missed)
		}
	}
	slow := outcome{before: []time.Duration{10 * time.Millisecond}, after: []time.Duration{30 * time.Millisecond}}
	f(outcome{}, true, 0)
	f(outcome{peakMemory: barMemory}, false, 1)
	f(outcome{peakDisk: 16<<20 + oneBatch}, false, 0)
	f(outcome{peakDisk: 17<<20 + oneBatch}, false, 1)
	f(slow, true, 0)
	f(outcome{missed: []string{"an event is missing"}, peakMemory: barMemory}, false, 2)
	if v := judge(slow, nil, true); v.String() != "met, but SLOW" {
		t.Errorf("three times the delay is %q", v)
	}
	if v := judge(slow, nil, false); v.String() != "met" {
		t.Errorf("a small run is judged by its delays: %q", v)
	}
	if v := judge(outcome{attack: "an attack"}, errors.New("no port"), false); v.String() != "MISSED" {
		t.Errorf("an attack that could not be played is %q", v)
	}
}

func TestKnownFailuresAreAttacks(t *testing.T) {
	known := map[string]bool{}
	for _, name := range names() {
		known[name] = true
	}
	for name := range knownFailures {
		if !known[name] {
			t.Errorf("%q is not an attack", name)
		}
	}
}
