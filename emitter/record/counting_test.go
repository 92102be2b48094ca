package record

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/funnel"
)

// counted returns the statistics of survey 5/3 as text.
func (d *testRecorder) counted() string {
	d.t.Helper()
	d.flush()
	survey := outbox.SurveyNames{ID: "5", Instance: "3"}
	days, err := d.store.SurveyDays(survey, time.Time{}, time.Time{})
	if err != nil {
		d.t.Fatal(err)
	}
	total := funnel.Counts{}
	for i := range days {
		total.Merge(&days[i].Counts)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "started %d, completed %d\n", total.Of(funnel.Started), total.Of(funnel.Completed))
	pages, err := d.store.SurveyPages(survey, time.Time{}, time.Time{})
	if err != nil {
		d.t.Fatal(err)
	}
	for i := range pages {
		fmt.Fprintf(&b, "%s: reached %d, left %d\n", pages[i].ID, pages[i].Of(funnel.Reached), pages[i].Of(funnel.Left))
	}
	return b.String()
}

func TestStatisticsCountEachParticipantOnceAcrossRestarts(t *testing.T) {
	dir := t.TempDir()
	d := newTestRecorder(t, dir)
	d.visit("ann")
	d.visit("ann") // who looks at it again
	d.visit("ben")
	d.begin("GET", "/api/progress/5/3/cid")(page(strings.ReplaceAll(showPage1, `"p"`, `"cid"`)))
	load := func() {
		d.begin("POST", "/api/log/3/cid/one/decsys.platform.PAGE_LOAD")(rules.Exchange{Status: 204, RequestBody: []byte("{}")})
	}
	load()
	const want = "started 3, completed 2\none: reached 3, left 2\ntwo: reached 2, left 2\n"
	if diff := cmp.Diff(want, d.counted()); diff != "" {
		t.Errorf("counted (-want +got):\n%s", diff)
	}
	d.stop()
	d = newTestRecorder(t, dir)
	defer d.stop()
	load()
	if diff := cmp.Diff(want, d.counted()); diff != "" {
		t.Errorf("counted after a restart (-want +got):\n%s", diff)
	}
}

// What is counted is of nobody, so that nothing of it is a participant's to forget.
func TestForgettingKeepsStatistics(t *testing.T) {
	d := newTestRecorder(t, t.TempDir())
	defer d.stop()
	d.visit("ann")
	before := d.counted()
	d.forget("ann", "")
	if diff := cmp.Diff(before, d.counted()); diff != "" {
		t.Errorf("counted (-want +got):\n%s", diff)
	}
}
