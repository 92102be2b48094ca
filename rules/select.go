package rules

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/sidehook/sidehook/rules/config"
)

// Set is the compiled form of a configuration's rules. It never changes.
type Set struct{ rules []matcher }

// Selection is a target that gets an event, in the name of the first rule that sends it there.
type Selection struct{ Rule, Target string }

// matcher is one rule, ready to be asked.
type matcher struct {
	config.Rule
	name    string
	surveys []surveyName
}

// surveyName is one entry of a rule's surveys.
type surveyName struct {
	friendlyID       string
	survey, instance string
}

// Compile makes the Set of rules that Load has found to be right.
func Compile(rules []config.Rule) *Set {
	set := &Set{}
	for i, rule := range rules {
		m := matcher{Rule: rule, name: cmp.Or(rule.Name, fmt.Sprintf("rules[%d]", i))}
		for _, survey := range rule.Surveys {
			m.surveys = append(m.surveys, parseSurveyName(survey))
		}
		set.rules = append(set.rules, m)
	}
	return set
}

// Select gives the targets of an event, each once, in the order of the rules.
func (s *Set) Select(e *Event) []Selection {
	var selected []Selection
	data := []byte(nil)
	for i := range s.rules {
		rule := &s.rules[i]
		if !rule.matches(e) {
			continue
		}
		if data == nil && rule.When != "" {
			data = e.Data()
		}
		if rule.When != "" && !fires(data, rule.When) {
			continue
		}
		for _, target := range rule.To {
			if !slices.ContainsFunc(selected, func(s Selection) bool { return s.Target == target }) {
				selected = append(selected, Selection{Rule: rule.name, Target: target})
			}
		}
	}
	return selected
}

func (m *matcher) matches(e *Event) bool {
	return m.matchesName(e) && m.matchesSurvey(e) && m.matchesPage(e) && m.matchesPosition(e)
}

func (m *matcher) matchesName(e *Event) bool {
	return len(m.On) == 0 || slices.Contains(m.On, config.PageNavigation) || slices.Contains(m.On, e.Name())
}

func (m *matcher) matchesSurvey(e *Event) bool {
	return len(m.surveys) == 0 || slices.ContainsFunc(m.surveys, func(n surveyName) bool { return n.names(&e.Survey) })
}

func (m *matcher) matchesPage(e *Event) bool {
	return len(m.SourcePages) == 0 || slices.ContainsFunc(m.SourcePages, func(p config.PageName) bool { return isPage(p, e.From) })
}

func (m *matcher) matchesPosition(e *Event) bool {
	return len(m.SourcePositions) == 0 || slices.Contains(m.SourcePositions, e.From.Position)
}

// isPage reports whether name is that of page.
func isPage(name config.PageName, page PageRef) bool {
	if name.Number > 0 {
		return name.Number == page.Number
	}
	return page.Name != nil && name.Name == *page.Name
}

// parseSurveyName tells apart 12, 12/3 and fzd: only digits are a number.
func parseSurveyName(text string) surveyName {
	survey, instance, _ := strings.Cut(text, "/")
	if _, err := strconv.ParseUint(survey, 10, 63); err != nil && instance == "" {
		return surveyName{friendlyID: text}
	}
	return surveyName{survey: trimZeros(survey), instance: trimZeros(instance)}
}

func (n surveyName) names(s *Survey) bool {
	if n.friendlyID != "" {
		return n.friendlyID == s.FriendlyID || n.friendlyID == s.Study || n.friendlyID == s.ID
	}
	return n.survey == s.ID && (n.instance == "" || n.instance == s.Instance)
}

// fires tells whether a `when` holds: its value is there, and is not null, false or [].
func fires(data []byte, when string) bool {
	value := gjson.GetBytes(data, when)
	switch {
	case !value.Exists(), value.Type == gjson.Null, value.Type == gjson.False:
		return false
	case value.IsArray():
		return len(value.Array()) > 0
	}
	return true
}
