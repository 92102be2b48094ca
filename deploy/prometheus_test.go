package deploy

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	monitoringv1 "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"sigs.k8s.io/yaml"
)

const (
	alertsFile = "prometheus/alerts.yaml"
	testsFile  = "prometheus/alerts_test.yaml"
)

// alert is one rule of alerts.yaml.
type alert struct {
	Alert               string
	Expr                string
	Labels, Annotations map[string]string
}

func TestTheAlertsFireWhenTheyShould(t *testing.T) {
	promtool(t, "check", "rules", "--lint=all", "--lint-fatal", alertsFile)
	promtool(t, "test", "rules", testsFile)
}

func TestEveryAlertHasATestAndSaysWhatToDo(t *testing.T) {
	tests := read(t, testsFile)
	for _, a := range loadAlerts(t) {
		if !strings.Contains(tests, `ALERTS{alertname="`+a.Alert+`", alertstate="firing"`) {
			t.Errorf("%s has no test in which it fires", a.Alert)
		}
		if a.Labels["severity"] == "" || a.Annotations["summary"] == "" || a.Annotations["description"] == "" {
			t.Errorf("%s lacks a severity, summary or description", a.Alert)
		}
	}
}

func TestTheAlertsAskForMetricsThatExist(t *testing.T) {
	all := append(parseSeries(t, scrape(t, 500, "pending")), parseSeries(t, scrapeReplica(t))...)
	label := regexp.MustCompile(`\$labels\.(\w+)`)
	for _, a := range loadAlerts(t) {
		problems := all.problems(a.Expr)
		if expression, err := parser.NewParser(parser.Options{}).ParseExpr(a.Expr); err == nil {
			for _, match := range label.FindAllStringSubmatch(a.Annotations["summary"]+a.Annotations["description"], -1) {
				problems = append(problems, all.unknownLabels(expression, match[1:])...)
			}
		}
		for _, problem := range problems {
			t.Errorf("%s: %s", a.Alert, problem)
		}
	}
}

func TestAHealthySidehookFiresNoAlert(t *testing.T) {
	text := scrape(t, 204, "delivered")
	values := regexp.MustCompile(`(?m)^([a-z_]+(?:\{.*\})?) ([0-9.e+-]+)$`)
	var input []map[string]string
	// How fast the disk of the test is proves nothing.
	text = regexp.MustCompile(`(?m)^sidehook_(released_at_risk|store_commit).*`).ReplaceAllString(text, "")
	for _, sample := range values.FindAllStringSubmatch(text, -1) {
		name, rest, _ := strings.Cut(strings.TrimSuffix(sample[1], "}"), "{")
		selector := fmt.Sprintf(`%s{job="sidehook",%s}`, name, rest)
		input = append(input, map[string]string{"series": selector, "values": "0 " + sample[2] + "x10"})
	}
	if len(input) < 100 {
		t.Fatalf("only %d series: %v", len(input), input)
	}
	path, err := filepath.Abs(alertsFile)
	if err != nil {
		t.Fatal(err)
	}
	content, err := yaml.Marshal(map[string]any{"rule_files": []string{path}, "tests": []any{map[string]any{
		"interval": "1m", "input_series": input, "promql_expr_test": []any{map[string]any{
			"expr": `ALERTS`, "eval_time": "5m", "exp_samples": []any{},
		}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	test := t.TempDir() + "/healthy.yaml"
	write(t, test, string(content))
	promtool(t, "test", "rules", test)
}

// docs/kubernetes.md makes one of the file as it is.
func TestTheAlertsAreThoseOfAPrometheusRule(t *testing.T) {
	spec := regexp.MustCompile(`(?m)^`).ReplaceAllString(read(t, alertsFile), "  ")
	object, err := decode("apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata: {name: sidehook}\nspec:\n" + spec)
	if err != nil {
		t.Fatal(err)
	}
	if rule, ok := object.(*monitoringv1.PrometheusRule); !ok || len(rule.Spec.Groups[0].Rules) != len(loadAlerts(t)) {
		t.Errorf("it is %+v", object)
	}
}

func TestAQueryForWhatDoesNotExistIsFound(t *testing.T) {
	all := series{labels.FromStrings("__name__", "a_total", "job", "x")}
	f := func(query string) {
		t.Helper()
		if all.problems(query) == nil {
			t.Errorf("%s is accepted", query)
		}
	}
	f(`b_total`)
	f(`a_total{job="y"}`)
	f(`a_total{other!="y"}`)
	f(`sum by (other) (a_total)`)
	f(`a_total +`)
	if problems := all.problems(`sum by (job) (a_total{job="x"})`); problems != nil {
		t.Error(problems)
	}
}

func loadAlerts(t *testing.T) []alert {
	t.Helper()
	var file struct{ Groups []struct{ Rules []alert } }
	if err := yaml.Unmarshal([]byte(read(t, alertsFile)), &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Groups) != 1 || len(file.Groups[0].Rules) < 20 {
		t.Fatalf("the alerts are %+v", file)
	}
	return file.Groups[0].Rules
}

func promtool(t *testing.T, args ...string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", append([]string{"tool", "promtool"}, args...)...).CombinedOutput()
	if err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}
