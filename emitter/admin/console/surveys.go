package console

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/sidehook/sidehook/emitter/admin"
)

// csvSuffix at the end of an address is that of the figures for a spreadsheet.
const csvSuffix = ".csv"

// choice is a value of a form's control.
type choice struct{ Value, Text string }

// sinceChoices are the periods to look at.
var sinceChoices = []choice{{"", "all that is kept"}, {"0h", "today"}, {"6d", "last 7 days"}, {"29d", "last 30 days"}, {"89d", "last 90 days"}}

// surveysData is the content of the page of surveys.
type surveysData struct {
	Since   string
	Choices []choice
	Surveys []surveyEntry
	// Next is the address of the next page, empty on the last.
	Next string
}

// surveyEntry is a survey in the list.
type surveyEntry struct {
	admin.Survey
	// Path is the address of its page, empty if it has none.
	Path string
}

func (c *Console) surveys(w http.ResponseWriter, r *http.Request) {
	values := periodOf(r)
	var list admin.SurveyList
	if err := c.api.get(r, "/surveys", withAfter(values, r.URL.Query().Get("after")), &list); err != nil {
		c.fail(w, r, err)
		return
	}
	data := surveysData{Since: values.Get("since"), Choices: sinceChoices}
	for i := range list.Surveys {
		entry := surveyEntry{Survey: list.Surveys[i]}
		if !entry.Other {
			entry.Path = "/console/surveys/" + surveyPath(entry.Survey.Survey, entry.Instance)
		}
		data.Surveys = append(data.Surveys, entry)
	}
	slices.SortStableFunc(data.Surveys, func(a, b surveyEntry) int { return cmp.Compare(b.LastDay, a.LastDay) })
	if list.After != "" {
		data.Next = "/console/surveys?" + withAfter(values, list.After).Encode()
	}
	c.render(w, r, http.StatusOK, "surveys", "Surveys", func(*page) string { return surveysPage(&data) })
}

// periodOf returns the period that a request chooses, as parameters of the API.
func periodOf(r *http.Request) url.Values {
	values := url.Values{}
	if since := r.URL.Query().Get("since"); since != "" {
		values.Set("since", since)
	}
	return values
}

// surveyPath is the end of the address of a survey.
func surveyPath(survey, instance string) string {
	return url.PathEscape(survey) + "/" + url.PathEscape(instance)
}

// surveyData is the content of the page of a survey.
type surveyData struct {
	admin.Funnel
	Since   string
	Choices []choice
	// PagesCSV and DaysCSV are the addresses of the figures for a spreadsheet.
	PagesCSV, DaysCSV string
	FunnelChart       funnelChart
	DaysChart         daysChart
	// Latest are the days, the latest first.
	Latest []admin.SurveyDay
}

func (c *Console) survey(w http.ResponseWriter, r *http.Request) {
	survey, instance, values := r.PathValue("survey"), r.PathValue("instance"), periodOf(r)
	if name, isCSV := strings.CutSuffix(instance, csvSuffix); isCSV {
		c.surveyCSV(w, r, surveyPath(survey, name))
		return
	}
	data := surveyData{Since: values.Get("since"), Choices: sinceChoices}
	if err := c.api.get(r, "/surveys/"+surveyPath(survey, instance), values, &data.Funnel); err != nil {
		c.fail(w, r, err)
		return
	}
	data.FunnelChart, data.DaysChart = newFunnelChart(data.Pages), newDaysChart(data.Days)
	data.Latest = slices.Clone(data.Days)
	slices.Reverse(data.Latest)
	address := "/console/surveys/" + surveyPath(survey, instance) + csvSuffix + "?"
	values.Set("by", "page")
	data.PagesCSV = address + values.Encode()
	values.Set("by", "day")
	data.DaysCSV = address + values.Encode()
	c.render(w, r, http.StatusOK, "survey", "Survey "+surveyName(&data.Survey), func(*page) string { return surveyPage(&data) })
}

// surveyCSV responds with figures for a spreadsheet.
func (c *Console) surveyCSV(w http.ResponseWriter, r *http.Request, path string) {
	values := periodOf(r)
	by := "page"
	if r.URL.Query().Get("by") == "day" {
		by = "day"
	}
	values.Set("by", by)
	text, err := c.api.do(r, http.MethodGet, "/surveys/"+path+csvSuffix, values, nil)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="`+by+`s.csv"`)
	_, _ = w.Write(text) // the client may be gone
}

// surveyName is what people call a survey.
func surveyName(s *admin.Survey) string {
	if s.Other {
		return "Other surveys"
	}
	return cmp.Or(s.FriendlyID, s.Survey+"/"+s.Instance)
}

// formatMedian shows a duration in seconds in its largest two units; a dash for nil.
func formatMedian(seconds *float64) string {
	if seconds == nil {
		return "–"
	}
	switch d := time.Duration(*seconds * float64(time.Second)); {
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < time.Hour:
		d = d.Round(time.Second)
		return fmt.Sprintf("%d min %d s", d/time.Minute, d%time.Minute/time.Second)
	default:
		d = d.Round(time.Minute)
		return fmt.Sprintf("%d h %d min", d/time.Hour, d%time.Hour/time.Minute)
	}
}

// percent is a part of a whole, empty without one.
func percent(part, whole uint64) string {
	if whole == 0 {
		return ""
	}
	return fmt.Sprintf("%.0f %%", float64(part)*100/float64(whole))
}
