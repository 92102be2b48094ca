// Package terminal makes text of others safe to print on a terminal.
//
// Participants, apps and targets decide what is in a page's name, an answer or a
// response. Printed as it is, such a text could move the cursor, retitle the
// window, hide lines or, with bidirectional controls, show something else than it
// says. Line and Text replace the characters that do this by escapes which are
// valid in JSON strings: a JSON document printed with Text stays the same document.
package terminal

import (
	"fmt"
	"strings"
)

// Line escapes control and bidirectional characters of a text that is to stay on
// one line: newlines and tabs too. Bytes that are not UTF-8 become U+FFFD.
func Line(text string) string {
	return escape(text, func(r rune) bool { return isControl(r) || isBidi(r) })
}

// Text is Line for a text of several lines: newlines and tabs stay.
func Text(text string) string {
	return escape(text, func(r rune) bool { return r != '\n' && r != '\t' && (isControl(r) || isBidi(r)) })
}

func escape(text string, isUnsafe func(rune) bool) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if !strings.ContainsFunc(text, isUnsafe) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if isUnsafe(r) {
			fmt.Fprintf(&b, `\u%04x`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// isControl reports whether r is in C0, DEL or C1 (ECMA-48), or separates lines.
func isControl(r rune) bool {
	return r < 0x20 || 0x7f <= r && r <= 0x9f || r == '\u2028' || r == '\u2029'
}

// isBidi reports whether r has Unicode's property Bidi_Control (UAX #9).
func isBidi(r rune) bool {
	return r == '\u061c' || r == '\u200e' || r == '\u200f' || '\u202a' <= r && r <= '\u202e' || '\u2066' <= r && r <= '\u2069'
}
