package admin

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/rules/funnel"
)

// Survey is a survey instance with what was counted of it.
type Survey struct {
	Survey     string `json:"survey"`
	Instance   string `json:"instance"`
	FriendlyID string `json:"friendly_id"`
	// Other marks what is counted of all surveys that have no room of their own; it has
	// no names and no pages.
	Other bool `json:"other"`
	// FirstDay and LastDay are the days, in UTC, of the first and last counts that are kept.
	FirstDay string `json:"first_day"`
	LastDay  string `json:"last_day"`
	SurveyCounts
}

// SurveyCounts is how participants went through a survey.
type SurveyCounts struct {
	Started     uint64 `json:"started"`
	Completed   uint64 `json:"completed"`
	ScreenedOut uint64 `json:"screened_out"`
	// Abandoned counts silences, Returned those that ended.
	Abandoned uint64 `json:"abandoned"`
	Returned  uint64 `json:"returned"`
	// MedianSeconds is how long half of those who completed it took at most, exact to a
	// fifth; null if nobody knows.
	MedianSeconds *float64 `json:"median_seconds"`
}

// SurveyPage is how participants went through a page. Each counts once for each attempt
// at the survey.
type SurveyPage struct {
	ID string `json:"id"`
	// Number is the page's number in the survey, 0 if it has none, and Position its
	// place in a participant's order.
	Number   int `json:"number"`
	Position int `json:"position"`
	// Name is empty where the page has none, or none that all participants are shown.
	Name string `json:"name"`
	// Other marks what is counted of all pages that have no room of their own.
	Other   bool   `json:"other"`
	Reached uint64 `json:"reached"`
	Left    uint64 `json:"left"`
	// Abandoned counts silences on the page, Returned those that ended.
	Abandoned uint64 `json:"abandoned"`
	Returned  uint64 `json:"returned"`
	// MedianSeconds is how long half of those who left it were on it at most, exact to a
	// fifth; null if nobody knows.
	MedianSeconds *float64 `json:"median_seconds"`
}

// SurveyDay is a day of a survey.
type SurveyDay struct {
	// Day is in UTC: 2026-11-23.
	Day string `json:"day"`
	SurveyCounts
}

// SurveyList is one page of surveys.
type SurveyList struct {
	Surveys []Survey `json:"surveys"`
	// After is where the next page continues, empty at the end.
	After string `json:"after"`
}

// Funnel is everything that was counted of a survey, or between two days. Pages are in
// the order of the survey; days on which nothing was counted are left out.
type Funnel struct {
	Survey
	Pages []SurveyPage `json:"pages"`
	Days  []SurveyDay  `json:"days"`
}

// period is the days to look at.
type period struct{ since, until time.Time }

func readPeriod(values url.Values) (p period, err error) {
	now := time.Now()
	if p.since, err = readTime(values.Get("since"), now); err != nil {
		return p, badRequest(fmt.Errorf("since %w", err))
	}
	if p.until, err = readTime(values.Get("until"), now); err != nil {
		return p, badRequest(fmt.Errorf("until %w", err))
	}
	return p, nil
}

// surveys lists the surveys that have statistics.
func (a *Admin) surveys(w http.ResponseWriter, r *http.Request) {
	values := r.URL.Query()
	query, err := readQuery(values, time.Now())
	if err != nil {
		refuse(w, badRequest(err))
		return
	}
	p := period{query.Since, query.Until}
	isCSV := wantsCSV(r)
	if isCSV {
		query.After, query.Limit = "", 0 // all of them
	}
	list, err := a.listSurveys(p, query.After, query.Limit)
	switch {
	case err != nil:
		refuse(w, err)
	case isCSV:
		respondCSV(w, "surveys.csv", surveyRows(list.Surveys))
	default:
		respond(w, list)
	}
}

// listSurveys returns up to limit surveys, all for 0.
func (a *Admin) listSurveys(p period, after string, limit int) (list SurveyList, err error) {
	all, err := a.config.Store.Surveys()
	if err != nil {
		return list, err
	}
	if after != "" {
		last, err := parseSurvey(after)
		if err != nil {
			return list, badRequest(errCursor)
		}
		all = slices.DeleteFunc(all, func(s outbox.CountedSurvey) bool { return s.Compare(last) <= 0 })
	}
	list.Surveys = []Survey{}
	for i := range all {
		if limit > 0 && len(list.Surveys) == limit {
			list.After = formatSurvey(all[i-1].SurveyNames)
			break
		}
		survey, _, err := a.describeSurvey(&all[i], p)
		if err != nil {
			return list, err
		}
		list.Surveys = append(list.Surveys, survey)
	}
	return list, nil
}

// describeSurvey returns a survey with its days.
func (a *Admin) describeSurvey(s *outbox.CountedSurvey, p period) (Survey, []SurveyDay, error) {
	days, err := a.config.Store.SurveyDays(s.SurveyNames, p.since, p.until)
	total, list := funnel.Counts{}, []SurveyDay{}
	for i := range days {
		total.Merge(&days[i].Counts)
		list = append(list, SurveyDay{days[i].Day.Format(time.DateOnly), surveyCounts(&days[i].Counts)})
	}
	return Survey{
		Survey: s.ID, Instance: s.Instance, FriendlyID: s.FriendlyID, Other: s.SurveyNames == outbox.SurveyNames{},
		FirstDay: s.First.Format(time.DateOnly), LastDay: s.Last.Format(time.DateOnly), SurveyCounts: surveyCounts(&total),
	}, list, err
}

func surveyCounts(c *funnel.Counts) SurveyCounts {
	return SurveyCounts{
		Started: c.Of(funnel.Started), Completed: c.Of(funnel.Completed), ScreenedOut: c.Of(funnel.ScreenedOut),
		Abandoned: c.Of(funnel.Abandoned), Returned: c.Of(funnel.Returned), MedianSeconds: medianSeconds(c),
	}
}

func medianSeconds(c *funnel.Counts) *float64 {
	median, ok := c.Median()
	if !ok {
		return nil
	}
	return new(median.Round(100 * time.Millisecond).Seconds())
}

// survey responds with the funnel of a survey.
func (a *Admin) survey(w http.ResponseWriter, r *http.Request) {
	instance := strings.TrimSuffix(r.PathValue("instance"), csvSuffix)
	found, err := a.funnel(r.PathValue("survey"), instance, r.URL.Query())
	by := r.URL.Query().Get("by")
	switch {
	case err != nil:
		refuse(w, err)
	case !wantsCSV(r):
		respond(w, found)
	case by == "day":
		respondCSV(w, "days.csv", dayRows(found.Days))
	case by == "" || by == "page":
		respondCSV(w, "pages.csv", pageRows(found.Pages))
	default:
		refuse(w, badRequest(errors.New("by must be page or day")))
	}
}

func (a *Admin) funnel(survey, instance string, values url.Values) (found Funnel, err error) {
	p, err := readPeriod(values)
	if err != nil {
		return found, err
	}
	all, err := a.config.Store.Surveys()
	if err != nil {
		return found, err
	}
	i := slices.IndexFunc(all, func(s outbox.CountedSurvey) bool { return s.ID == survey && s.Instance == instance })
	if i < 0 {
		return found, errNoSurvey
	}
	if found.Survey, found.Days, err = a.describeSurvey(&all[i], p); err != nil {
		return found, err
	}
	pages, err := a.config.Store.SurveyPages(all[i].SurveyNames, p.since, p.until)
	found.Pages = []SurveyPage{}
	for i := range pages {
		page := &pages[i]
		found.Pages = append(found.Pages, SurveyPage{
			ID: page.ID, Number: page.Number, Position: page.Position, Name: page.Name, Other: page.ID == "",
			Reached: page.Of(funnel.Reached), Left: page.Of(funnel.Left), Abandoned: page.Of(funnel.Abandoned), Returned: page.Of(funnel.Returned),
			MedianSeconds: medianSeconds(&page.Counts),
		})
	}
	return found, err
}

// formatSurvey returns the names of a survey as in the path of its funnel.
func formatSurvey(n outbox.SurveyNames) string {
	return url.PathEscape(n.ID) + "/" + url.PathEscape(n.Instance)
}

// parseSurvey is the inverse of formatSurvey.
func parseSurvey(text string) (n outbox.SurveyNames, err error) {
	survey, instance, ok := strings.Cut(text, "/")
	if !ok {
		return n, errCursor
	}
	if n.ID, err = url.PathUnescape(survey); err == nil {
		n.Instance, err = url.PathUnescape(instance)
	}
	return n, err
}
