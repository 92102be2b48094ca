package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/sidehook/sidehook/rules/strictyaml"
)

// maxRuleName is the longest name of a rule, in bytes.
const maxRuleName = 100

func (c *checker) checkRules() {
	named := map[string]string{}
	for i := range c.config.Rules {
		rule, path := &c.config.Rules[i], strictyaml.ItemPath("rules", i)
		if !c.Usable(path) {
			continue
		}
		c.checkRuleName(path+".name", rule.Name, named)
		if rule.Name == "" {
			rule.Name = path
		}
		notEmpty(c, path+".on", rule.On)
		notEmpty(c, path+".surveys", rule.Surveys)
		notEmpty(c, path+".source_pages", rule.SourcePages)
		notEmpty(c, path+".source_positions", rule.SourcePositions)
		c.checkSurveys(path+".surveys", rule.Surveys)
		c.checkPositions(path+".source_positions", rule.SourcePositions)
		c.checkWhen(path+".when", rule.When)
		c.checkTo(path+".to", rule.To)
		c.checkOn(path, rule)
	}
}

// checkOn refuses events that a target's format has no word for, and keys that match no
// page of an event.
func (c *checker) checkOn(path string, rule *Rule) {
	for i, event := range rule.On {
		at := strictyaml.ItemPath(path+".on", i)
		for _, name := range rule.To {
			target, isKnown := c.config.Targets[name]
			if isKnown && !target.Format.Has(event) && c.Usable(at) {
				c.Wrong(at, "format %s of target %s has no word for %s: give the target format standard or cloudevents, or name another one in a rule of its own",
					target.Format, strictyaml.Quoted(name), event)
			}
		}
		if event != Started {
			continue
		}
		for _, key := range []string{".source_pages", ".source_positions"} {
			if c.Usable(path + key) {
				c.Wrong(path+key, "never matches %s, since no page is left then: write a rule of its own for it", event)
			}
		}
	}
}

func (c *checker) checkRuleName(path, name string, named map[string]string) {
	if !c.Usable(path) {
		return
	}
	odd := func(r rune) bool { return !unicode.IsPrint(r) || strings.ContainsRune("[]", r) }
	first, twice := named[name]
	switch {
	case name == "" || len(name) > maxRuleName || strings.ContainsFunc(name, odd):
		c.Wrong(path, "must be 1 to %d printable characters without [ and ]", maxRuleName)
	case twice:
		c.Wrong(path, "duplicate name %s: %s has it too", strictyaml.Quoted(name), first)
	default:
		named[name] = strings.TrimSuffix(path, ".name")
	}
}

// notEmpty notes an empty list, which reads like "none" but would mean "all".
func notEmpty[T any](c *checker, path string, list []T) {
	if list != nil && len(list) == 0 {
		c.Wrong(path, "is empty; name at least one, or remove the key to match all")
	}
}

func (c *checker) checkSurveys(path string, surveys []string) {
	for i, text := range surveys {
		survey, instance, hasInstance := strings.Cut(text, "/")
		right := isID(survey) && (!hasInstance || isID(instance))
		if at := strictyaml.ItemPath(path, i); c.Usable(at) && !right {
			c.Wrong(at, "must be a friendly id (fzd), a survey (12) or an instance of one (12/3), not %s", strictyaml.Quoted(text))
		}
	}
}

// isID reports whether an app could have issued text as an id.
func isID(text string) bool {
	odd := func(r rune) bool { return !unicode.IsGraphic(r) || unicode.IsSpace(r) || r == '/' }
	return text != "" && !strings.ContainsFunc(text, odd)
}

func (c *checker) checkPositions(path string, positions []int) {
	for i, position := range positions {
		if position < 1 {
			c.Wrong(strictyaml.ItemPath(path, i), "must be at least 1, not %d", position)
		}
	}
}

func (c *checker) checkWhen(path, when string) {
	if !c.Usable(path) {
		return
	}
	if err := CheckWhen(when); err != nil {
		c.Wrong(path, "%s", err)
	}
}

func (c *checker) checkTo(path string, to []string) {
	const advice = "name the targets: [crm]"
	if c.required(path, advice) && len(to) == 0 {
		c.Wrong(path, "is empty; %s", advice)
	}
	if len(c.config.Targets) == 0 {
		return // already noted
	}
	names := slices.Sorted(maps.Keys(c.config.Targets))
	for i, name := range to {
		at := strictyaml.ItemPath(path, i)
		if !c.Usable(at) {
			continue
		}
		if !slices.Contains(names, name) {
			c.Wrong(at, "no target %s%s", strictyaml.Quoted(name), targetHint(name, names))
		}
		if slices.Contains(to[:i], name) {
			c.Wrong(at, "names %s twice", strictyaml.Quoted(name))
		}
	}
}

// targetHint suggests the nearest target, or lists a few.
func targetHint(name string, names []string) string {
	if hint := strictyaml.DidYouMean(name, names); hint != "" {
		return hint
	}
	plain := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !strictyaml.IsPlainName(name) })
	if len(plain) > 10 {
		return fmt.Sprintf("; there are %d targets, such as %s", len(plain), plain[0])
	}
	return "; the targets are " + strings.Join(plain, ", ")
}
