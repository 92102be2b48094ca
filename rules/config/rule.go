package config

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/sidehook/sidehook/rules/strictyaml"
)

// Rule says which events go to which targets. Each empty list but On matches all.
type Rule struct {
	// Name is unique; that of a rule without one is its place, rules[0].
	Name string `yaml:"name"`
	// On is what the rule fires on. Empty matches PageNavigation alone.
	On []EventName `yaml:"on"`
	// Surveys are friendly ids (fzd), surveys (12) or instances (12/3).
	Surveys []string `yaml:"surveys"`
	// SourcePages are the pages that were left.
	SourcePages []PageName `yaml:"source_pages"`
	// SourcePositions are the positions of the pages that were left in the
	// participant's own order, from 1.
	SourcePositions []int `yaml:"source_positions"`
	// When is a gjson path into the event's data; empty matches all.
	When string `yaml:"when"`
	// To names at least one target.
	To []string `yaml:"to"`
}

// EventName is what a rule can fire on.
type EventName string

// Event names.
const (
	// PageNavigation is every navigation, including the last.
	PageNavigation EventName = "page_navigation"
	// Completion is the navigation that ends the survey.
	Completion EventName = "completion"
	// Started is the first page loaded.
	Started EventName = "started"
	// Abandoned is a participant who has not ended the survey and was silent for
	// Config.AbandonedAfter, once for each silence.
	Abandoned EventName = "abandoned"
)

var eventWords = []EventName{PageNavigation, Completion, Started, Abandoned}

// EventNames returns what rules can fire on.
func EventNames() []EventName { return slices.Clone(eventWords) }

// UnmarshalText reads the name of an event.
func (n *EventName) UnmarshalText(text []byte) (err error) {
	*n, err = strictyaml.OneOf(string(text), eventWords...)
	return err
}

// PageName names a page: by its number in the survey as its author sees it, from
// 1, or by its name where Number is 0.
type PageName struct {
	Number int
	Name   string
}

// UnmarshalScalar reads a whole number without quotes as a page number, and any
// other text, such as a number in quotes, as a name.
func (p *PageName) UnmarshalScalar(text string, number bool) error {
	if !number {
		*p = PageName{Name: text}
		if text == "" {
			return errors.New("must be a page number or name, and not empty")
		}
		return nil
	}
	count, err := strconv.Atoi(text)
	if err != nil || count < 1 {
		return fmt.Errorf("must be a page number, from 1, or a page name in quotes, not %s", strictyaml.Quoted(text))
	}
	*p = PageName{Number: count}
	return nil
}

// String returns the page as it is written in a configuration.
func (p PageName) String() string {
	if p.Number > 0 {
		return strconv.Itoa(p.Number)
	}
	return strconv.Quote(p.Name)
}
