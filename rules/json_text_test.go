package rules

import (
	"testing"
	"time"
)

func TestTimesAreInUTCWithMilliseconds(t *testing.T) {
	at := time.Date(2026, 11, 23, 22, 22, 16, 536_900_000, time.FixedZone("CET", 3600))
	if got, want := string(appendTime(nil, at)), `"2026-11-23T21:22:16.536Z"`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := string(appendTime(nil, time.Time{})); got != "null" {
		t.Errorf("got %s for no time, want null", got)
	}
}
