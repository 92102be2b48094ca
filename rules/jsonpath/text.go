package jsonpath

import (
	"fmt"
	"unicode/utf8"
)

// AppendString appends text as a JSON string. It escapes quotes, backslashes,
// control characters and the line separators U+0085, U+2028 and U+2029, as
// Newtonsoft.Json does for Decsys' own webhook.
func AppendString(dst []byte, text string) []byte {
	dst = append(dst, '"')
	for _, r := range text {
		dst = appendRune(dst, r)
	}
	return append(dst, '"')
}

// AppendNullable appends text as a JSON string, or null where text is nil.
func AppendNullable(dst []byte, text *string) []byte {
	if text == nil {
		return append(dst, "null"...)
	}
	return AppendString(dst, *text)
}

func appendRune(dst []byte, r rune) []byte {
	switch r {
	case '"', '\\':
		return append(dst, '\\', byte(r))
	case '\b':
		return append(dst, `\b`...)
	case '\t':
		return append(dst, `\t`...)
	case '\n':
		return append(dst, `\n`...)
	case '\f':
		return append(dst, `\f`...)
	case '\r':
		return append(dst, `\r`...)
	case '\u0085', '\u2028', '\u2029':
		return fmt.Appendf(dst, `\u%04x`, r)
	}
	if r < ' ' {
		return fmt.Appendf(dst, `\u%04x`, r)
	}
	return utf8.AppendRune(dst, r)
}
