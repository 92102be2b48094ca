package deploy

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
)

// dashboard is what is checked of a dashboard's JSON.
type dashboard struct {
	Panels []struct {
		ID                       int
		Type, Title, Description string
		GridPos                  struct{ X, Y, W, H int }
		Targets                  []struct {
			RefID, Expr string
			Datasource  struct{ UID string }
			// LegendFormat names labels in double braces.
			LegendFormat string
		}
	}
	Annotations struct{ List []struct{ Name, Expr string } }
	Templating  struct {
		List []struct {
			Name, Type string
			Query      json.RawMessage
		}
	}
}

func TestTheDashboardAsksForMetricsThatExist(t *testing.T) {
	all := append(parseSeries(t, scrape(t, 500, "pending")), parseSeries(t, scrapeReplica(t))...)
	d := loadDashboard(t)
	check := func(where, query string) {
		t.Helper()
		for _, problem := range all.problems(expand(query)) {
			t.Errorf("%s: %s", where, problem)
		}
	}
	queries := 0
	label := regexp.MustCompile(`\{\{(\w+)\}\}`)
	for _, panel := range d.Panels {
		for _, target := range panel.Targets {
			queries++
			check(panel.Title, target.Expr)
			for _, match := range label.FindAllStringSubmatch(target.LegendFormat, -1) {
				// An aggregation keeps the labels that it names.
				check(panel.Title, "count by ("+match[1]+") ("+target.Expr+")")
				if strings.Contains(target.Expr, " by (") && !regexp.MustCompile(`by \([^)]*\b`+match[1]+`\b`).MatchString(target.Expr) {
					t.Errorf("%s: the legend has %s, which the query drops: %s", panel.Title, match[1], target.Expr)
				}
			}
		}
	}
	if queries < 30 {
		t.Errorf("only %d queries were found", queries)
	}
	for _, annotation := range d.Annotations.List {
		check(annotation.Name, annotation.Expr)
	}
	variable := regexp.MustCompile(`label_values\((.*), (\w+)\)`)
	for _, v := range d.Templating.List {
		if match := variable.FindStringSubmatch(strings.ReplaceAll(string(v.Query), `\"`, `"`)); match != nil {
			check(v.Name, "count by ("+match[2]+") ("+match[1]+")")
		} else if v.Type == "query" {
			t.Errorf("%s is read from %s", v.Name, v.Query)
		}
	}
}

func TestThePanelsOfTheDashboardHaveAPlaceAndAWord(t *testing.T) {
	ids, taken := map[int]bool{}, map[[2]int]string{}
	for _, panel := range loadDashboard(t).Panels {
		if ids[panel.ID] || panel.Title == "" || panel.Type != "row" && (panel.Description == "" || len(panel.Targets) == 0) {
			t.Errorf("%q has the id of another, or lacks a title, a description or a query", panel.Title)
		}
		ids[panel.ID] = true
		at := panel.GridPos
		if at.W < 1 || at.H < 1 || at.X < 0 || at.X+at.W > 24 {
			t.Errorf("%q is outside of the grid: %+v", panel.Title, at)
		}
		for x := at.X; x < at.X+at.W; x++ {
			for y := at.Y; y < at.Y+at.H; y++ {
				if other, isTaken := taken[[2]int{x, y}]; isTaken {
					t.Fatalf("%q lies over %q", panel.Title, other)
				}
				taken[[2]int{x, y}] = panel.Title
			}
		}
		for _, target := range panel.Targets {
			if target.Datasource.UID != "${datasource}" {
				t.Errorf("%q asks the data source %q", panel.Title, target.Datasource.UID)
			}
		}
	}
}

// expand puts into a query what Grafana puts there.
func expand(query string) string {
	return strings.NewReplacer("$__rate_interval", "5m", "$instance", ".*").Replace(query)
}

func loadDashboard(t *testing.T) (d dashboard) {
	t.Helper()
	if err := json.Unmarshal([]byte(read(t, "grafana/sidehook.json")), &d); err != nil {
		t.Fatal(err)
	}
	return d
}
