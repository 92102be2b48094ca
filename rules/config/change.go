package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/sidehook/sidehook/rules/strictyaml"
)

// liveKeys are the keys whose changes take effect without a restart.
var liveKeys = []string{"targets", "rules", "admin_token", "admin_pprof", "log", "abandoned_after"}

// Changes describes what differs between two configurations, without values, which
// may be secrets.
type Changes struct {
	// Live describes each change that takes effect without a restart.
	Live []string
	// Restart names the keys whose changes need a restart.
	Restart []string
}

// Update returns the configuration of a process that runs with c when its file
// becomes next: next's values of the live keys, and c's own of those that need a
// restart. Neither c nor next is changed.
func (c *Config) Update(next *Config) (*Config, Changes) {
	updated := *next
	updated.Files = maps.Clone(next.Files)
	var changes Changes
	old, now, kept := reflect.ValueOf(c).Elem(), reflect.ValueOf(next).Elem(), reflect.ValueOf(&updated).Elem()
	for key, i := range strictyaml.Fields(old.Type()) {
		same := reflect.DeepEqual(old.Field(i).Interface(), now.Field(i).Interface())
		switch {
		case slices.Contains(liveKeys, key):
			continue
		case !same || key == "profile" && c.Files[c.Profile] != next.Files[next.Profile]:
			changes.Restart = append(changes.Restart, key)
			kept.Field(i).Set(old.Field(i))
			if key == "profile" {
				delete(updated.Files, next.Profile)
				updated.Files[c.Profile] = c.Files[c.Profile]
			}
		}
	}
	if !reflect.DeepEqual(c.AdminToken, next.AdminToken) {
		changes.Live = append(changes.Live, "admin_token changed")
	}
	if c.AbandonedAfter != next.AbandonedAfter {
		changes.Live = append(changes.Live, "abandoned_after changed")
	}
	if c.AdminPprof != next.AdminPprof {
		changes.Live = append(changes.Live, "admin_pprof changed")
	}
	if keys := changedKeys(c.Log, next.Log); len(keys) > 0 {
		changes.Live = append(changes.Live, fmt.Sprintf("log changed (%s)", strings.Join(keys, ", ")))
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

// changedRules identifies rules by name; that of a rule without one is its place.
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

// common returns the names of those rules that others has, too.
func common(rules, others []Rule) []string {
	var names []string
	for _, rule := range rules {
		if ruleNamed(others, rule.Name) != nil {
			names = append(names, rule.Name)
		}
	}
	return names
}

// changedKeys returns the keys whose values differ.
func changedKeys[T any](before, after T) []string {
	old, next := reflect.ValueOf(before), reflect.ValueOf(after)
	var keys []string
	for key, i := range strictyaml.Fields(old.Type()) {
		if !reflect.DeepEqual(old.Field(i).Interface(), next.Field(i).Interface()) {
			keys = append(keys, key)
		}
	}
	return keys
}
