package rules

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/sidehook/sidehook/rules/config"
)

// Set is the compiled form of a configuration's rules. It is immutable.
type Set struct{ rules []matcher }

// Selection is a target that gets an event, and the first rule that sends it there.
type Selection struct{ Rule, Target string }

// Compile compiles the rules of a configuration that config.Load has accepted.
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

// Names reports whether a rule names the event, which may be needed nowhere else. A nil
// Set has no rules.
func (s *Set) Names(event config.EventName) bool {
	return s != nil && slices.ContainsFunc(s.rules, func(m matcher) bool { return slices.Contains(m.On, event) })
}

// Select returns the targets of an event, each once, in the order of the rules.
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
		if rule.When != "" && !whenHolds(data, rule.When) {
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

// Explain returns for every rule whether Select lets it fire, key by key.
func (s *Set) Explain(e *Event) []Verdict {
	var verdicts []Verdict
	for i := range s.rules {
		verdicts = append(verdicts, s.rules[i].verdict(e))
	}
	return verdicts
}
