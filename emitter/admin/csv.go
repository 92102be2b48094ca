package admin

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// csvSuffix at the end of a path asks for CSV (RFC 4180).
const csvSuffix = ".csv"

// wantsCSV reports whether a request asks for CSV: by its path, or by Accept.
func wantsCSV(r *http.Request) bool {
	return strings.HasSuffix(r.URL.Path, csvSuffix) || strings.Contains(r.Header.Get("Accept"), "text/csv")
}

// respondCSV responds with rows, the first of which are the names of the columns.
func respondCSV(w http.ResponseWriter, name string, rows [][]string) {
	w.Header().Set("Content-Type", "text/csv; charset=utf-8; header=present")
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	out := csv.NewWriter(w)
	out.UseCRLF = true
	_ = out.WriteAll(rows) // the client may be gone
}

// laterFormula is what a spreadsheet takes for a formula that separates cells by
// semicolons.
var laterFormula = regexp.MustCompile(`(;[ \t]*)([=+@|%＝＋－＠-])`)

// inert returns a text that no spreadsheet takes for a formula: there is an apostrophe
// before what would begin as one.
func inert(text string) string {
	if strings.IndexAny(strings.TrimLeft(text, " \u00a0\ufeff"), "=+-@\t\r\n|%＝＋－＠") == 0 {
		text = "'" + text
	}
	return laterFormula.ReplaceAllString(text, "$1'$2")
}

func surveyRows(list []Survey) [][]string {
	rows := [][]string{append([]string{"survey", "instance", "friendly_id", "first_day", "last_day"}, countColumns...)}
	for i := range list {
		s := &list[i]
		names := []string{inert(s.Survey), inert(s.Instance), inert(s.FriendlyID), s.FirstDay, s.LastDay}
		if s.Other {
			names[0] = "(other)"
		}
		rows = append(rows, append(names, countCells(&s.SurveyCounts)...))
	}
	return rows
}

func dayRows(days []SurveyDay) [][]string {
	rows := [][]string{append([]string{"day"}, countColumns...)}
	for i := range days {
		rows = append(rows, append([]string{days[i].Day}, countCells(&days[i].SurveyCounts)...))
	}
	return rows
}

var countColumns = []string{"started", "completed", "screened_out", "abandoned", "returned", "median_seconds"}

func countCells(c *SurveyCounts) (cells []string) {
	for _, n := range []uint64{c.Started, c.Completed, c.ScreenedOut, c.Abandoned, c.Returned} {
		cells = append(cells, fmt.Sprint(n))
	}
	return append(cells, secondsCell(c.MedianSeconds))
}

func pageRows(pages []SurveyPage) [][]string {
	rows := [][]string{{"page_number", "page_id", "page_name", "reached", "left", "abandoned", "returned", "median_seconds"}}
	for i := range pages {
		p := &pages[i]
		cells := []string{fmt.Sprint(p.Number), inert(p.ID), inert(p.Name)}
		if p.Other {
			cells[1] = "(other)"
		}
		for _, n := range []uint64{p.Reached, p.Left, p.Abandoned, p.Returned} {
			cells = append(cells, fmt.Sprint(n))
		}
		rows = append(rows, append(cells, secondsCell(p.MedianSeconds)))
	}
	return rows
}

func secondsCell(seconds *float64) string {
	if seconds == nil {
		return ""
	}
	return strconv.FormatFloat(*seconds, 'f', 1, 64)
}
