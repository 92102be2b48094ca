package rules

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/sidehook/sidehook/rules/config"
	"github.com/sidehook/sidehook/rules/jsonpath"
)

// maxFound is the maximum length of a value in Check.Found, in bytes.
const maxFound = 200

// Verdict is whether a rule fires on an event, and why.
type Verdict struct {
	Rule  string `json:"rule"`
	Fires bool   `json:"fires"`
	// To are the targets of the rule, whether or not it fires.
	To     []string `json:"to"`
	Checks []Check  `json:"checks"`
}

// Check is one key of a rule, compared with an event.
type Check struct {
	Key   string `json:"key"`
	Holds bool   `json:"holds"`
	// Wants is the value in the rule, Found the one in the event.
	Wants string `json:"wants"`
	Found string `json:"found"`
}

func (m *matcher) verdict(e *Event) Verdict {
	v := Verdict{Rule: m.name, To: m.To, Checks: m.checks(e), Fires: true}
	for _, check := range v.Checks {
		v.Fires = v.Fires && check.Holds
	}
	return v
}

// checks returns a check for each key of the rule, none for keys that it lacks.
func (m *matcher) checks(e *Event) []Check {
	checks := []Check{}
	add := func(has bool, c Check) {
		if has {
			checks = append(checks, c)
		}
	}
	add(len(m.On) > 0, Check{
		Key: "on", Holds: m.matchesName(e), Found: eventNames(e),
		Wants: joined(m.On),
	})
	add(len(m.Surveys) > 0, Check{
		Key: "surveys", Holds: m.matchesSurvey(e), Found: e.Survey.names(),
		Wants: strings.Join(m.Surveys, ", "),
	})
	add(len(m.SourcePages) > 0, Check{
		Key: "source_pages", Holds: m.matchesPage(e), Found: fmt.Sprintf("%d, %s", e.From.Number, jsonpath.AppendNullable(nil, e.From.Name)),
		Wants: joined(m.SourcePages),
	})
	add(len(m.SourcePositions) > 0, Check{
		Key: "source_positions", Holds: m.matchesPosition(e), Found: strconv.Itoa(e.From.Position),
		Wants: joined(m.SourcePositions),
	})
	if m.When != "" {
		data := e.Data()
		checks = append(checks, Check{Key: "when", Holds: whenHolds(data, m.When), Wants: m.When, Found: found(data, m.When)})
	}
	return checks
}

// eventNames are the names of the event in a rule.
func eventNames(e *Event) string {
	if e.Completed() {
		return string(config.PageNavigation) + ", " + string(config.Completion)
	}
	return string(e.Name())
}

// names are the names of the survey in a rule.
func (s *Survey) names() string {
	names := []string{s.ID, s.ID + "/" + s.Instance}
	for _, name := range []string{s.FriendlyID, s.Study} {
		if name != "" {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

// found describes the value at a gjson path, or how far the path leads if there is none.
func found(data []byte, path string) string {
	if value := gjson.GetBytes(data, path); value.Exists() {
		return shortened(value.Raw)
	}
	for _, prefix := range slices.Backward(jsonpath.Prefixes(path)) {
		if value := gjson.GetBytes(data, prefix); value.Exists() {
			return fmt.Sprintf("nothing; %s is %s", prefix, shortened(value.Raw))
		}
	}
	return "nothing"
}

func shortened(raw string) string {
	if len(raw) <= maxFound {
		return raw
	}
	return strings.ToValidUTF8(raw[:maxFound], "") + "..."
}

// joined writes a list as a configuration does.
func joined[T any](items []T) string {
	texts := make([]string, len(items))
	for i, item := range items {
		texts[i] = fmt.Sprint(item)
	}
	return strings.Join(texts, ", ")
}
