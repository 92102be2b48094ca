package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/sidehook/sidehook/rules/strictyaml"
)

// liveKeys are the keys that a running process takes over from a changed file.
var liveKeys = []string{"targets", "rules", "admin_token"}

// Changes is what differs between two configurations, in words without values:
// they may be secrets.
type Changes struct {
	// Live is what a running process takes over, Restart the keys that it can't.
	Live, Restart []string
}

// None tells whether nothing differs.
func (c Changes) None() bool { return len(c.Live)+len(c.Restart) == 0 }

// Update gives what a process that runs with c goes on with when its file becomes
// next: the targets and rules of next, and c's own for the keys that need a restart.
func (c *Config) Update(next *Config) (*Config, Changes) {
	updated := *next
	updated.Files = maps.Clone(next.Files)
	var changes Changes
	old, now, kept := reflect.ValueOf(c).Elem(), reflect.ValueOf(next).Elem(), reflect.ValueOf(&updated).Elem()
	for _, field := range strictyaml.FieldsOf(old.Type()) {
		same := reflect.DeepEqual(old.Field(field.Index).Interface(), now.Field(field.Index).Interface())
		switch {
		case slices.Contains(liveKeys, field.Name):
			continue
		case !same || field.Name == "profile" && c.Files[c.Profile] != next.Files[next.Profile]:
			changes.Restart = append(changes.Restart, field.Name)
			kept.Field(field.Index).Set(old.Field(field.Index))
			if field.Name == "profile" {
				delete(updated.Files, next.Profile)
				updated.Files[c.Profile] = c.Files[c.Profile]
			}
		}
	}
	if !reflect.DeepEqual(c.AdminToken, next.AdminToken) {
		changes.Live = append(changes.Live, "admin_token changed")
	}
	changes.Live = append(changes.Live, changedTargets(c.Targets, next.Targets)...)
	changes.Live = append(changes.Live, changedRules(c.Rules, next.Rules)...)
	return &updated, changes
}

func changedTargets(old, next map[string]Target) []string {
	var changes []string
	for _, name := range slices.Sorted(maps.Keys(old)) {
		before, after := old[name], next[name]
		_, stays := next[name]
		switch keys := changedKeys(before, after); {
		case !stays:
			changes = append(changes, fmt.Sprintf("target %s removed, its deliveries kept", name))
		case len(keys) > 0:
			changes = append(changes, fmt.Sprintf("target %s changed (%s)", name, strings.Join(keys, ", ")))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(next)) {
		if _, known := old[name]; !known {
			changes = append(changes, fmt.Sprintf("target %s added", name))
		}
	}
	return changes
}

// changedRules goes by names; a rule without one is known by its place.
func changedRules(old, next []Rule) []string {
	var changes []string
	for _, before := range old {
		after := ruleNamed(next, before.Name)
		if after == nil {
			changes = append(changes, fmt.Sprintf("rule %q removed", before.Name))
		} else if keys := changedKeys(before, *after); len(keys) > 0 {
			changes = append(changes, fmt.Sprintf("rule %q changed (%s)", before.Name, strings.Join(keys, ", ")))
		}
	}
	for _, after := range next {
		if ruleNamed(old, after.Name) == nil {
			changes = append(changes, fmt.Sprintf("rule %q added", after.Name))
		}
	}
	if !slices.Equal(common(old, next), common(next, old)) {
		changes = append(changes, "order of the rules changed")
	}
	return changes
}

func ruleNamed(rules []Rule, name string) *Rule {
	i := slices.IndexFunc(rules, func(r Rule) bool { return r.Name == name })
	if i < 0 {
		return nil
	}
	return &rules[i]
}

// common are the names of those rules that others has too.
func common(rules, others []Rule) []string {
	var names []string
	for _, rule := range rules {
		if ruleNamed(others, rule.Name) != nil {
			names = append(names, rule.Name)
		}
	}
	return names
}

// changedKeys names the keys whose values differ.
func changedKeys[T any](before, after T) []string {
	old, next := reflect.ValueOf(before), reflect.ValueOf(after)
	var keys []string
	for _, field := range strictyaml.FieldsOf(old.Type()) {
		if !reflect.DeepEqual(old.Field(field.Index).Interface(), next.Field(field.Index).Interface()) {
			keys = append(keys, field.Name)
		}
	}
	return keys
}
