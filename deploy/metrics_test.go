package deploy

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

const participant = "f0bc0615-168c-4dcd-b7db-a0bb28a3ab06"

// series are the time series that a running sidehook exposes, with job and
// instance as Prometheus adds them.
type series []labels.Labels

// scrape runs a sidehook whose target responds with a status, has a participant
// leave a page, and returns what /metrics has when their delivery is in a state. It
// is run by a command, if one is given.
func scrape(t *testing.T, status int, state string, by ...string) string {
	t.Helper()
	app := httptest.NewServer(http.HandlerFunc(serveSurvey))
	defer app.Close()
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
	defer target.Close()
	listen, admin := runSidehook(t, app.URL, target.URL, "", by...)
	await(t, "http://"+admin+"/ready", func(status int, _ string) bool { return status == http.StatusOK })
	// The app makes the participant, who then has no past to be read.
	survey := "http://" + listen + "/api/progress/1/1"
	if _, _, err := get(t.Context(), survey); err != nil {
		t.Fatal(err)
	}
	response, err := http.Post(survey+"/"+participant+"/next", "application/json", nil)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	var text string
	await(t, "http://"+admin+"/metrics", func(_ int, body string) bool {
		text = body
		attempted := !strings.Contains(body, `sidehook_attempt_seconds_count{target="crm"} 0`)
		return attempted && strings.Contains(body, `sidehook_deliveries{state="`+state+`",target="crm"} 1`)
	})
	return text
}

// scrapeReplica runs a sidehook that is one of several and cannot reach their servers,
// and returns what /metrics has.
func scrapeReplica(t *testing.T) (text string) {
	t.Helper()
	app := httptest.NewServer(http.HandlerFunc(serveSurvey))
	defer app.Close()
	_, admin := runSidehook(t, app.URL, app.URL, "replicas: nats://127.0.0.1:1/app\n")
	await(t, "http://"+admin+"/metrics", func(status int, body string) bool {
		text = body
		return status == http.StatusOK
	})
	return text
}

// runSidehook runs a sidehook with more keys in its configuration, by a command if one
// is given, and returns its addresses.
func runSidehook(t *testing.T, app, target, keys string, by ...string) (listen, admin string) {
	t.Helper()
	folder, free := t.TempDir(), freeAddresses(t, 2)
	listen, admin = free[0], free[1]
	write(t, folder+"/secret", secret)
	write(t, folder+"/config.yaml", fmt.Sprintf("app: %s\nlisten: %s\nadmin: %s\nstate: state\n%s"+
		"targets: {crm: {url: %s, secret: file:secret, retry: {schedule: [1h]}}}\nrules: [{to: [crm]}]\n", app, listen, admin, keys, target))
	program, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	command := append(by, program, "run", folder+"/config.yaml")
	start(t, exec.Command(command[0], command[1:]...))
	return listen, admin
}

// serveSurvey answers as Decsys does in a survey of two pages.
func serveSurvey(w http.ResponseWriter, r *http.Request) {
	page, created := 1, `"`+participant+`"`
	if r.Method == http.MethodPost {
		page, created = 2, "null"
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	fmt.Fprintf(w, `{"surveyId":1,"instanceId":1,"participantId":"`+participant+`","newParticipantId":%s,`+
		`"page":{"id":"00000000-0000-0000-0000-00000000000%d","order":%d,"name":"","components":[]},"pageCount":2}`, created, page, page)
}

// parseSeries reads the text format of Prometheus.
func parseSeries(t *testing.T, text string) (all series) {
	t.Helper()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		samples, err := expfmt.ExtractSamples(&expfmt.DecodeOptions{}, family)
		if err != nil {
			t.Fatal(err)
		}
		for _, sample := range samples {
			one := map[string]string{"job": "sidehook", "instance": "10.0.0.7:9090"}
			for name, value := range sample.Metric {
				one[string(name)] = string(value)
			}
			all = append(all, labels.FromMap(one))
		}
	}
	return append(all, labels.FromStrings("__name__", "up", "job", "sidehook", "instance", "10.0.0.7:9090"))
}

// problems returns what an expression asks for that no series has.
func (all series) problems(text string) (problems []string) {
	expression, err := parser.NewParser(parser.Options{}).ParseExpr(text)
	if err != nil {
		return []string{err.Error()}
	}
	parser.Inspect(expression, func(node parser.Node, _ []parser.Node) error {
		switch n := node.(type) {
		case *parser.VectorSelector:
			if !slices.ContainsFunc(all, func(one labels.Labels) bool { return labels.Selector(n.LabelMatchers).Matches(one) && hasAll(one, n) }) {
				problems = append(problems, "no series is selected by "+n.String())
			}
		case *parser.AggregateExpr:
			problems = append(problems, all.unknownLabels(n.Expr, n.Grouping)...)
		case *parser.BinaryExpr:
			if n.VectorMatching != nil {
				problems = append(problems, all.unknownLabels(n, slices.Concat(n.VectorMatching.MatchingLabels, n.VectorMatching.Include))...)
			}
		}
		return nil
	})
	return problems
}

// hasAll reports whether a series has every label that a selector names, since a
// matcher may match a label that does not exist.
func hasAll(one labels.Labels, selector *parser.VectorSelector) bool {
	return !slices.ContainsFunc(selector.LabelMatchers, func(m *labels.Matcher) bool { return !one.Has(m.Name) })
}

// unknownLabels returns a problem for each name that no series has as a label which
// an expression selects.
func (all series) unknownLabels(expression parser.Node, names []string) (problems []string) {
	for _, name := range names {
		if !slices.ContainsFunc(all.selectedBy(expression), func(one labels.Labels) bool { return one.Has(name) }) {
			problems = append(problems, fmt.Sprintf("nothing in %s has the label %s", expression, name))
		}
	}
	return problems
}

// selectedBy returns the series that the selectors of an expression select.
func (all series) selectedBy(expression parser.Node) (selected series) {
	parser.Inspect(expression, func(node parser.Node, _ []parser.Node) error {
		if n, ok := node.(*parser.VectorSelector); ok {
			for _, one := range all {
				if labels.Selector(n.LabelMatchers).Matches(one) {
					selected = append(selected, one)
				}
			}
		}
		return nil
	})
	return selected
}
