package strictyaml

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	// maxName is the longest plain name, in bytes.
	maxName = 64
	// maxQuoted is how many characters of a wrong value are shown.
	maxQuoted = 40
)

// IsPlainName reports whether text consists of 1 to 64 ASCII letters, digits,
// '_', '-' and '.', as every key of a map must.
func IsPlainName(text string) bool {
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

// Quoted shows a wrong value in an error: at most its first 40 characters, and
// nothing of what might be a URL with credentials.
func Quoted(text string) string {
	if strings.Contains(text, "://") || strings.Contains(text, "@") {
		return "a URL or address (not shown)"
	}
	if utf8.RuneCountInString(text) > maxQuoted {
		return strconv.Quote(string([]rune(text)[:maxQuoted])) + "..."
	}
	return strconv.Quote(text)
}
