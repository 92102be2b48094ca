package admin

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEachFamilyStandsInOnePlaceAfterItsHelp(t *testing.T) {
	var out strings.Builder
	expose(&out, []byte("go_threads 7\n"+
		"sidehook_attempts_total{target=\"b\",outcome=\"gone\"} 1\n"+
		"sidehook_attempt_seconds_bucket{target=\"b\",le=\"+Inf\"} 2\n"+
		"sidehook_connections 3\n"+
		"sidehook_attempts_total{target=\"a\",outcome=\"gone\"} 4\n"+
		"sidehook_attempt_seconds_sum{target=\"b\"} 5\n"))
	var kinds []string
	for line := range strings.Lines(out.String()) {
		if !strings.HasPrefix(line, "# HELP") {
			kinds = append(kinds, strings.TrimSuffix(line, "\n"))
		}
	}
	want := []string{
		"# TYPE sidehook_connections gauge",
		"sidehook_connections 3",
		"# TYPE sidehook_attempts_total counter",
		`sidehook_attempts_total{target="b",outcome="gone"} 1`,
		`sidehook_attempts_total{target="a",outcome="gone"} 4`,
		"# TYPE sidehook_attempt_seconds histogram",
		`sidehook_attempt_seconds_bucket{target="b",le="+Inf"} 2`,
		`sidehook_attempt_seconds_sum{target="b"} 5`,
		"go_threads 7",
	}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTheREADMEExplainsEachMetricAsItsHelpDoes(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for _, f := range families {
		want = append(want, fmt.Sprintf("| `%s` | %s | %s | %s |\n", f.name, f.kind, f.labels, f.help))
	}
	for line := range strings.Lines(string(readme)) {
		if strings.HasPrefix(line, "| `sidehook_") {
			got = append(got, line)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the table of metrics (-code +README):\n%s", diff)
	}
}
