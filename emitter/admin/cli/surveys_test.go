package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/sidehook/sidehook/emitter/admin"
	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/rules/funnel"
)

func (s *server) count(survey outbox.SurveyNames, what funnel.Counter, page *outbox.CountedPage) {
	s.t.Helper()
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	s.write(func(tx *outbox.Tx) {
		tx.Count(outbox.Count{What: what, Survey: survey, Page: page, At: at, IsPersonal: func() bool { return false }})
	})
}

func TestShowSurveysAndTheirPages(t *testing.T) {
	s := newServer(t)
	s.expect("surveys", "nothing was counted yet")
	s.expect("surveys --json", "[]")
	fzd := outbox.SurveyNames{ID: "5", Instance: "3", FriendlyID: "fzd"}
	for range 2 {
		s.count(fzd, funnel.Started, nil)
		s.count(fzd, funnel.Reached, &outbox.CountedPage{ID: "one", Number: 1, Name: "Con\x1b[2Jsent"})
	}
	s.count(fzd, funnel.Reached, &outbox.CountedPage{ID: "two", Number: 2})
	s.count(outbox.SurveyNames{ID: "5", Instance: "4"}, funnel.Started, nil)
	s.count(outbox.SurveyNames{ID: "a b/c", Instance: "?"}, funnel.Started, nil)

	s.expect("surveys", "SURVEY", "fzd", "5/3", "2026-11-23")
	s.expect("surveys --csv", "survey,instance,friendly_id", "\n5,3,fzd,2026-11-23")
	for _, name := range []string{"fzd", "5/3"} {
		s.expect("surveys "+name, "PAGE", `1     Con\u001b[2Jsent  2`, "2     two")
	}
	s.expect("surveys fzd --by day", "SCREENED OUT", "2026-11-23  2")
	s.expect("surveys fzd --json", `"pages":[{"id":"one","number":1`)
	s.expect("surveys fzd --csv", "page_number,page_id", `1,one,Con\u001b[2Jsent,2,0`)
	s.expect("surveys fzd --csv --by day", "\n2026-11-23,2,0")
	s.expect("surveys fzd --since 2026-11-24T00:00:00Z --json", `"pages":[]`)
	s.expect("surveys 5", "several instances", "5/3, 5/4")
	s.expect("surveys nobody", `nothing was counted of a survey "nobody"`)
	s.expect("surveys fzd --by week", "--by must be page or day")
	s.expect("surveys fzd --since soon", "since must be a time")
	s.expect("surveys a b", "usage: sidehook surveys [SURVEY]")
	if out, err := runCommand(t, "", "surveys", "a b/c/?", "--admin", s.Addr().String()); err != nil || !strings.Contains(out, "a b/c/?") {
		t.Errorf("got %s, %v", out, err)
	}
}

func TestTheTablesOfSurveysFitIn80Columns(t *testing.T) {
	seconds := func(s float64) *float64 { return &s }
	surveys := []admin.Survey{
		{Survey: "5", Instance: "3", FriendlyID: "fzd", LastDay: "2026-11-23", SurveyCounts: admin.SurveyCounts{Started: 1204, Completed: 980, ScreenedOut: 12, Abandoned: 200, Returned: 20, MedianSeconds: seconds(312.4)}},
		{Survey: "a-survey-with-a-long-id", Instance: "a-survey-with-a-long-id", LastDay: "2026-11-23", SurveyCounts: admin.SurveyCounts{Started: 1, MedianSeconds: seconds(8000)}},
		{Other: true, LastDay: "2026-11-23", SurveyCounts: admin.SurveyCounts{Started: 3, MedianSeconds: seconds(0.4)}},
	}
	pages := []admin.SurveyPage{
		{ID: "one", Number: 1, Name: "Consent", Reached: 1204, Left: 1190, Abandoned: 14, MedianSeconds: seconds(42)},
		{ID: "4dcb5b0c-1f0d-4f0a-9a39-5d2f9e2a3b11", Reached: 1190, Left: 1100, Abandoned: 1, Returned: 2},
		{ID: "three", Number: 12, Name: strings.Repeat("Why did you choose this? ", 10), Reached: 1},
		{Other: true, Reached: 7},
	}
	days := []admin.SurveyDay{{Day: "2026-11-23", SurveyCounts: surveys[0].SurveyCounts}}
	var b strings.Builder
	for _, table := range []*table{surveysTable(surveys, false), pagesTable(pages, false), daysTable(days)} {
		if err := table.print(&b); err != nil {
			t.Fatal(err)
		}
		b.WriteString("\n")
	}
	expectWidth(t, b.String())
	golden(t, "surveys.txt", b.String())
}
