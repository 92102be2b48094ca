package rules

import (
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/sidehook/sidehook/rules/config"
)

// matcher is one compiled rule.
type matcher struct {
	config.Rule
	name    string
	surveys []surveyName
}

// surveyName is one entry of a rule's surveys: a friendly id, or else a survey
// and maybe one instance of it, as written.
type surveyName struct {
	friendlyID       string
	survey, instance string
}

// matches reports whether all keys of the rule but `when` match the event.
func (m *matcher) matches(e *Event) bool {
	return m.matchesName(e) && m.matchesSurvey(e) && m.matchesPage(e) && m.matchesPosition(e)
}

// matchesName reports whether the rule is on the event. Every navigation is a page
// navigation, the last one too, and the one thing that a rule is on without a name.
func (m *matcher) matchesName(e *Event) bool {
	isOnAll := len(m.On) == 0 || slices.Contains(m.On, config.PageNavigation)
	return e.IsNavigation() && isOnAll || slices.Contains(m.On, e.Name())
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

// isPage reports whether the page has this number or name.
func isPage(name config.PageName, page PageRef) bool {
	if name.Number > 0 {
		return name.Number == page.Number
	}
	return page.Name != nil && name.Name == *page.Name
}

// parseSurveyName parses fzd, 12 or 12/3. Digits alone are a survey's id.
func parseSurveyName(text string) surveyName {
	survey, instance, _ := strings.Cut(text, "/")
	if _, err := strconv.ParseUint(survey, 10, 63); err != nil && instance == "" {
		return surveyName{friendlyID: text}
	}
	return surveyName{survey: survey, instance: instance}
}

// names reports whether the survey, or the study that led to it, has this name.
func (n surveyName) names(s *Survey) bool {
	if n.friendlyID != "" {
		return n.friendlyID == s.FriendlyID || n.friendlyID == s.Study || n.friendlyID == s.ID
	}
	return isID(n.survey, s.ID) && (n.instance == "" || isID(n.instance, s.Instance))
}

// isID reports whether a text names an id. Where ids are numbers, they have no
// leading zeros.
func isID(text, id string) bool { return text == id || trimZeros(text) == id }

// whenHolds reports whether a `when` holds: there is a value at its gjson path
// that is not null, false or [].
func whenHolds(data []byte, when string) bool {
	value := gjson.GetBytes(data, when)
	switch {
	case !value.Exists(), value.Type == gjson.Null, value.Type == gjson.False:
		return false
	case value.IsArray():
		return len(value.Array()) > 0
	}
	return true
}
