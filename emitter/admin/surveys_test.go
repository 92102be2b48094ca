package admin

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/rules/funnel"
)

// count adds to the statistics of a survey, on a day of November 2026. An empty page is
// the survey itself.
func (s *server) count(survey outbox.SurveyNames, what funnel.Counter, day int, page, name string) {
	s.t.Helper()
	one := outbox.Count{What: what, Survey: survey, At: time.Date(2026, 11, day, 12, 0, 0, 0, time.UTC), IsPersonal: func() bool { return false }}
	if page != "" {
		one.Page = &outbox.CountedPage{ID: page, Number: len(page), Name: name}
	}
	if what == funnel.Left || what == funnel.Completed {
		one.Took = new(10 * time.Second)
	}
	if err := s.config.Store.Do(s.t.Context(), func(tx *outbox.Tx) { tx.Count(one) }); err != nil {
		s.t.Fatal(err)
	}
}

// ask requests JSON.
func (s *server) ask(path string, into any) {
	s.t.Helper()
	status, body := s.request("GET", path, nil)
	if status != http.StatusOK {
		s.t.Fatalf("%s: status %d, %s", path, status, body)
	}
	if err := json.Unmarshal([]byte(body), into); err != nil {
		s.t.Fatal(err)
	}
}

func TestTheFunnelOfASurveyIsListed(t *testing.T) {
	s := newServer(t)
	fzd := outbox.SurveyNames{ID: "5", Instance: "a/3", FriendlyID: "fzd"}
	for range 2 {
		s.count(fzd, funnel.Started, 23, "", "")
		s.count(fzd, funnel.Reached, 23, "p", "Consent")
	}
	s.count(fzd, funnel.Left, 23, "p", "")
	s.count(fzd, funnel.Reached, 24, "pp", "")
	s.count(fzd, funnel.Abandoned, 24, "pp", "")
	s.count(fzd, funnel.Abandoned, 24, "", "")
	s.count(fzd, funnel.Completed, 24, "", "")

	var found Funnel
	s.ask("/surveys/5/a%2F3", &found)
	for _, seconds := range []*float64{found.MedianSeconds, found.Pages[0].MedianSeconds, found.Days[1].MedianSeconds} {
		if seconds == nil || *seconds < 9 || *seconds > 11 {
			t.Errorf("a median is %v, want about 10", seconds)
		}
	}
	found.MedianSeconds, found.Pages[0].MedianSeconds, found.Days[1].MedianSeconds = nil, nil, nil
	want := Funnel{
		Survey: Survey{
			Survey: "5", Instance: "a/3", FriendlyID: "fzd", FirstDay: "2026-11-23", LastDay: "2026-11-24",
			SurveyCounts: SurveyCounts{Started: 2, Completed: 1, Abandoned: 1},
		},
		Pages: []SurveyPage{{ID: "p", Number: 1, Name: "Consent", Reached: 2, Left: 1}, {ID: "pp", Number: 2, Reached: 1, Abandoned: 1}},
		Days:  []SurveyDay{{"2026-11-23", SurveyCounts{Started: 2}}, {"2026-11-24", SurveyCounts{Completed: 1, Abandoned: 1}}},
	}
	if diff := cmp.Diff(want, found); diff != "" {
		t.Errorf("the funnel (-want +got):\n%s", diff)
	}
	var later Funnel
	s.ask("/surveys/5/a%2F3?since=2026-11-24T09:30:00Z", &later)
	if len(later.Days) != 1 || later.Started != 0 || later.Completed != 1 || len(later.Pages) != 1 {
		t.Errorf("since the 24th: %+v", later)
	}

	f := func(path string, wantStatus int, want string) {
		t.Helper()
		if status, body := s.request("GET", path, nil); status != wantStatus || !strings.Contains(body, want) {
			t.Errorf("%s: %d %s, want %d %s", path, status, body, wantStatus, want)
		}
	}
	f("/surveys/5/4", http.StatusNotFound, "nothing was counted of this survey")
	f("/surveys/5/a%2F3?since=soon", http.StatusBadRequest, "since must be a time")
	f("/surveys/5/a%2F3.csv?by=week", http.StatusBadRequest, "by must be page or day")
	f("/surveys?after=x", http.StatusBadRequest, "after must be")
	f("/surveys?limit=0", http.StatusBadRequest, "limit must be")
	s.stopStore()
	f("/surveys", http.StatusServiceUnavailable, "the store is unavailable")
	f("/surveys/5/a%2F3", http.StatusServiceUnavailable, "the store is unavailable")
}

func TestSurveysAreListedPageByPage(t *testing.T) {
	s := newServer(t)
	var want []string
	for n := range 5 {
		id := fmt.Sprint(n * 7)
		s.count(outbox.SurveyNames{ID: id, Instance: "/"}, funnel.Started, 23, "", "")
		want = append(want, id)
	}
	var got []string
	for after := ""; ; {
		var list SurveyList
		s.ask("/surveys?limit=2&after="+strings.ReplaceAll(after, "%", "%25"), &list)
		for _, survey := range list.Surveys {
			got = append(got, survey.Survey)
		}
		if after = list.After; after == "" {
			break
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the surveys (-want +got):\n%s", diff)
	}
}

func TestStatisticsAreCSVWhereAskedFor(t *testing.T) {
	s := newServer(t)
	fzd := outbox.SurveyNames{ID: "5", Instance: "3", FriendlyID: "@fzd"}
	const formula = `=cmd|' /C calc'!A0,"x"`
	for range 2 {
		s.count(fzd, funnel.Reached, 23, "p", formula)
	}
	s.count(fzd, funnel.Started, 24, "", "")
	f := func(path, accept string, want [][]string) {
		t.Helper()
		status, body := s.request("GET", path, func(r *http.Request) { r.Header.Set("Accept", accept) })
		got, err := csv.NewReader(strings.NewReader(body)).ReadAll()
		if status != http.StatusOK || err != nil {
			t.Fatalf("%s: status %d, %v", path, status, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
	pages := [][]string{
		{"page_number", "page_id", "page_name", "reached", "left", "abandoned", "returned", "median_seconds"},
		{"1", "p", "'" + formula, "2", "0", "0", "0", ""},
	}
	f("/surveys/5/3.csv", "", pages)
	f("/surveys/5/3", "text/csv", pages)
	days := [][]string{{"day", "started", "completed", "screened_out", "abandoned", "returned", "median_seconds"}, {"2026-11-24", "1", "0", "0", "0", "0", ""}}
	f("/surveys/5/3.csv?by=day", "", days)
	surveys := [][]string{
		{"survey", "instance", "friendly_id", "first_day", "last_day", "started", "completed", "screened_out", "abandoned", "returned", "median_seconds"},
		{"5", "3", "'@fzd", "2026-11-23", "2026-11-24", "1", "0", "0", "0", "0", ""},
	}
	f("/surveys.csv", "", surveys)
	f("/surveys", "text/html, text/csv", surveys)
}

func TestNoCellOfCSVIsAFormula(t *testing.T) {
	f := func(text string, isFormula bool) {
		t.Helper()
		want := text
		if isFormula {
			want = "'" + text
		}
		if got := inert(text); got != want {
			t.Errorf("%q becomes %q", text, got)
		}
	}
	for _, text := range []string{"=1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "\u00a0=1", "\ufeff=1", "＝1", "|cmd", "%1"} {
		f(text, true)
	}
	for _, text := range []string{"", "Consent", "1-1", "a=1", "'=1", "é", "日本"} {
		f(text, false)
	}
}
