package strictyaml

import (
	"fmt"
	"slices"
	"strings"
)

// OneOf returns the word of allowed that text is, or an error that lists them
// and suggests the nearest.
func OneOf[T ~string](text string, allowed ...T) (T, error) {
	words := make([]string, len(allowed))
	for i, word := range allowed {
		if words[i] = string(word); words[i] == text {
			return word, nil
		}
	}
	last := len(words) - 1
	list := words[last]
	if last > 0 {
		list = strings.Join(words[:last], ", ") + " or " + list
	}
	return "", fmt.Errorf("must be %s, not %s%s", list, Quoted(text), DidYouMean(text, words))
}

// DidYouMean returns the end of an error, "; did you mean ...?", that suggests the
// word nearest to text. It is empty when none is near.
func DidYouMean(text string, words []string) string {
	word := nearest(text, words)
	if word == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", word)
}

// The words that are booleans in YAML 1.1, but text in YAML 1.2.
var (
	oldTrue  = []string{"on", "yes", "y"}
	oldFalse = []string{"off", "no", "n"}
)

// oldKeyHint suggests the key that a tool of YAML 1.1 has turned into key, true or
// false; it is empty when there is none.
func oldKeyHint(key string, known []string) string {
	words := map[string][]string{"true": oldTrue, "false": oldFalse}[key]
	for _, word := range words {
		if slices.Contains(known, word) {
			return fmt.Sprintf("; did you mean %q? Tools for YAML 1.1 turn it into %s unless it is in quotes", word, key)
		}
	}
	return ""
}

// oldBoolHint suggests true or false for a boolean of YAML 1.1.
func oldBoolHint(text string) string {
	text = strings.ToLower(text)
	switch {
	case text == "true" || slices.Contains(oldTrue, text):
		return "; did you mean true?"
	case text == "false" || slices.Contains(oldFalse, text):
		return "; did you mean false?"
	default:
		return ""
	}
}

// nearest returns the word that text most likely misspells: at most a third of
// the letters differ. It is empty when there is none.
func nearest(text string, words []string) string {
	if len(text) > maxName {
		return ""
	}
	best, bestDistance := "", len(text)+1
	for _, word := range words {
		longer := max(len(word), len(text))
		distance := editDistance(strings.ToLower(text), strings.ToLower(word))
		near := distance <= max(1, longer/3) && 2*distance <= longer
		if near && distance < bestDistance {
			best, bestDistance = word, distance
		}
	}
	return best
}

// editDistance counts the letters to insert, delete, replace or swap with their
// neighbour to turn a into b (optimal string alignment distance).
func editDistance(a, b string) int {
	before, row := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		next := make([]int, len(b)+1)
		next[0] = i
		for j := 1; j <= len(b); j++ {
			replace := row[j-1]
			if a[i-1] != b[j-1] {
				replace++
			}
			next[j] = min(row[j]+1, next[j-1]+1, replace)
			swapped := i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1]
			if swapped {
				next[j] = min(next[j], before[j-2]+1)
			}
		}
		before, row = row, next
	}
	return row[len(b)]
}
