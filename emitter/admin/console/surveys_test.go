package console

import (
	"encoding/csv"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// hostileSurvey is the address of the survey that newServer has counted.
var hostileSurvey = "/console/surveys/" + url.PathEscape(hostile) + "/a%2Fb"

func TestSurveysAreShownWithTheirPagesAndDays(t *testing.T) {
	s := newServer(t)
	status, list := s.get("/console/surveys", nil)
	link := regexp.MustCompile(`<td><a href="([^"]+)">`).FindStringSubmatch(list)
	if status != http.StatusOK || link == nil {
		t.Fatalf("status %d:\n%s", status, list)
	}
	f := func(path string, want ...string) {
		t.Helper()
		status, page := s.get(path, nil)
		if status != http.StatusOK {
			t.Errorf("%s: status %d", path, status)
		}
		for _, text := range want {
			if !strings.Contains(page, text) {
				t.Errorf("%s does not show %q:\n%s", path, text, page)
			}
		}
	}
	f(link[1], "2 Reasons", "Page 3", `<td class="number">42 s</td>`, "33 % of those who started", `<rect class="left"`, "Each bar is 7 days.", "Days as CSV")
	f(hostileSurvey+"?since=0h", "50 % of those who started", `<option value="0h" selected>`)
	f(hostileSurvey+"?since=0h", `.csv?by=page&amp;since=0h"`)
	f("/console/surveys?since=0h", `<td class="number">2</td>`)
	if status, page := s.get("/console/surveys/1/2", nil); status != http.StatusNotFound || !strings.Contains(page, "nothing was counted") {
		t.Errorf("a survey that does not exist: status %d:\n%s", status, page)
	}
	if status, page := s.get("/console/surveys?since=soon", nil); status != http.StatusBadRequest || !strings.Contains(page, "since must be") {
		t.Errorf("a wrong period: status %d:\n%s", status, page)
	}
}

func TestTheFiguresOfASurveyAreCSVForSpreadsheets(t *testing.T) {
	s := newServer(t)
	f := func(path string, rows int, want string) {
		t.Helper()
		status, text := s.get(path, func(r *http.Request) { r.Header.Set("Accept", "text/html") })
		got, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		if status != http.StatusOK || err != nil || len(got) != rows || got[0][0] != want {
			t.Errorf("%s: status %d, %v, %q", path, status, err, got)
		}
	}
	f(hostileSurvey+".csv", 4, "page_number")
	f(hostileSurvey+".csv?by=day", 3, "day")
	f(hostileSurvey+".csv?by=day&since=0h", 2, "day")
	if status, _ := s.get(hostileSurvey+".csv", elsewhere); status != http.StatusUnauthorized {
		t.Errorf("somebody else gets them: status %d", status)
	}
}
