package strictyaml

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// maxName is the longest name, in bytes, of a target, a rule or a key.
	maxName = 64
	// maxQuoted is how many characters of a wrong value are shown.
	maxQuoted = 40
	// maxPath is how many bytes of the path of a file are shown.
	maxPath = 500
)

// plainName tells whether text is made of ASCII letters, digits, '_', '-' and '.' only.
func PlainName(text string) bool {
	if text == "" || len(text) > maxName {
		return false
	}
	for _, c := range []byte(text) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '_', c == '-', c == '.':
		default:
			return false
		}
	}
	return true
}

// quoted shows a wrong value in an error: its beginning, and nothing of what
// might be a URL with credentials.
func Quoted(text string) string {
	if strings.Contains(text, "://") || strings.Contains(text, "@") {
		return "a URL or address (not shown)"
	}
	if utf8.RuneCountInString(text) > maxQuoted {
		return strconv.Quote(string([]rune(text)[:maxQuoted])) + "..."
	}
	return strconv.Quote(text)
}

// shownPath shows the path of a file in an error.
func ShownPath(path string) string {
	if len(path) > maxPath {
		return strconv.Quote(path[:maxPath]) + "..."
	}
	if strings.ContainsFunc(path, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(path)
	}
	return path
}

// oneOf takes text when it is one of allowed.
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

// didYouMean is the end of an error that names the word nearest to text, empty when none is near.
func DidYouMean(text string, words []string) string {
	word, err := nearest(text, words)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", word)
}

var errNoneNear = errors.New("no word is near")

// nearest returns the nearest of words that text may be a misspelling of: at most
// a third of its letters differ.
func nearest(text string, words []string) (string, error) {
	if len(text) > maxName {
		return "", errNoneNear
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
	if best == "" {
		return "", errNoneNear
	}
	return best, nil
}

// editDistance counts the letters to insert, delete, replace or swap with their
// neighbour to make b of a.
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
