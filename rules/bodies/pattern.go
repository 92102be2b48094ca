package bodies

import (
	"slices"
	"strings"
)

// Names are those that match one of Only, nil for all, and none of Except. In both, *
// stands for any text.
type Names struct{ Only, Except []string }

// Have reports whether a name is one of them.
func (n Names) Have(name string) bool {
	matches := func(pattern string) bool { return MatchesPattern(pattern, name) }
	return (n.Only == nil || slices.ContainsFunc(n.Only, matches)) && !slices.ContainsFunc(n.Except, matches)
}

// MatchesPattern reports whether text is pattern, in which * stands for any text.
func MatchesPattern(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == text
	}
	rest, ok := strings.CutPrefix(text, parts[0])
	if !ok {
		return false
	}
	for _, part := range parts[1 : len(parts)-1] {
		if _, rest, ok = strings.Cut(rest, part); !ok {
			return false
		}
	}
	return strings.HasSuffix(rest, parts[len(parts)-1])
}
