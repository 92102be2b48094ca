package console

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sidehook/sidehook/emitter/admin"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func funnelOf(pages []admin.SurveyPage) string {
	chart := newFunnelChart(pages)
	return funnelSVG(&chart)
}

func daysOf(days []admin.SurveyDay) string {
	chart := newDaysChart(days)
	return daysSVG(&chart)
}

// expectSVG compares a picture with a golden file.
func expectSVG(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got+"\n"); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", name, diff)
	}
}

func TestAFunnelIsDrawn(t *testing.T) {
	expectSVG(t, "funnel.svg", funnelOf([]admin.SurveyPage{
		{ID: "one", Number: 1, Name: "Consent", Reached: 1000, Left: 900},
		{ID: "two", Number: 2, Name: hostile, Reached: 900, Left: 1},
		{ID: "three", Number: 3, Reached: 1},
		{ID: "4dcb5b0c-1f0d-4f0a-9a39-5d2f9e2a3b11"},
		{Other: true, Reached: 5, Left: 5},
	}))
	expectSVG(t, "funnel-empty.svg", funnelOf(nil))
}

func TestDaysAreDrawn(t *testing.T) {
	day := func(n int, started, completed, abandoned uint64) admin.SurveyDay {
		at := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC).AddDate(0, 0, n)
		return admin.SurveyDay{Day: at.Format(time.DateOnly), SurveyCounts: admin.SurveyCounts{Started: started, Completed: completed, Abandoned: abandoned}}
	}
	expectSVG(t, "day.svg", daysOf([]admin.SurveyDay{day(0, 3, 1, 0)}))
	expectSVG(t, "days.svg", daysOf([]admin.SurveyDay{day(0, 100, 60, 10), day(1, 0, 1, 5), day(4, 20, 40, 0)}))
	expectSVG(t, "days-weeks.svg", daysOf([]admin.SurveyDay{day(0, 5, 4, 3), day(6, 5, 4, 3), day(7, 1, 0, 0), day(399, 2, 2, 1)}))
}

// Whatever was counted, a picture stays small, and within its frame.
func TestPicturesAreBounded(t *testing.T) {
	f := func(days, wantEach int) {
		t.Helper()
		var list []admin.SurveyDay
		for n := range days {
			at := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, n)
			list = append(list, admin.SurveyDay{Day: at.Format(time.DateOnly), SurveyCounts: admin.SurveyCounts{Started: uint64(n), Completed: 1 << 63}})
		}
		chart := newDaysChart(list)
		if len(chart.Slots) > maxSlots || chart.DaysEach != wantEach {
			t.Errorf("%d days have %d slots of %d days", days, len(chart.Slots), chart.DaysEach)
		}
		for _, s := range chart.Slots {
			if s.StartedY < dayTop || s.CompletedY < dayTop || s.X+s.Width > chartWidth || s.Width < 1 {
				t.Errorf("%d days: a slot at %+v", days, s)
			}
		}
	}
	f(0, 1)
	f(1, 1)
	f(60, 1)
	f(61, 7)
	f(420, 7)
	f(421, 28)
	f(3650, 364)

	var pages []admin.SurveyPage
	for n := range 1000 {
		pages = append(pages, admin.SurveyPage{ID: fmt.Sprint(n), Name: strings.Repeat("ä", 500), Reached: 1 << 63, Left: 1<<64 - 1})
	}
	chart := newFunnelChart(pages)
	if len(chart.Rows) != maxRows || chart.More != 1000-maxRows {
		t.Errorf("%d rows, and %d more", len(chart.Rows), chart.More)
	}
	if row := chart.Rows[0]; len([]rune(row.Label)) != maxLabel || row.Left >= chartWidth {
		t.Errorf("a row is %+v", row)
	}
}

func TestMediansAreShownInTwoUnits(t *testing.T) {
	f := func(seconds float64, want string) {
		t.Helper()
		if got := formatMedian(&seconds); got != want {
			t.Errorf("%g: %q, want %q", seconds, got, want)
		}
	}
	f(0.25, "0.2 s")
	f(42.4, "42 s")
	f(90, "1 min 30 s")
	f(7260, "2 h 1 min")
	if got := formatMedian(nil); got != "–" {
		t.Errorf("without any: %q", got)
	}
}
