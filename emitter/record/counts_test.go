package record

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestEverySeriesExistsFromTheStart(t *testing.T) {
	registry := prometheus.NewRegistry()
	newCounts(registry, newWaiting())
	const want = 7*5 + 4 + 5 + 1 + 1 // what exchanges say and what came of it, events, refusals, bytes that wait, responses at risk
	if got := seriesIn(t, registry); got != want {
		t.Errorf("%d series from the start, want %d", got, want)
	}
}

func seriesIn(t *testing.T, registry *prometheus.Registry) int {
	t.Helper()
	count, err := testutil.GatherAndCount(registry)
	if err != nil {
		t.Fatal(err)
	}
	return count
}
