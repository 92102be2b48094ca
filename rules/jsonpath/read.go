package jsonpath

import (
	"bytes"
	"encoding/binary"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

var (
	bomUTF8    = []byte("\xef\xbb\xbf")
	bomUTF16LE = []byte("\xff\xfe")
	bomUTF16BE = []byte("\xfe\xff")
)

// ReadJSON returns foreign bytes as JSON in valid UTF-8 that is safe for gjson, or
// the error of CheckJSON. As lenient parsers do, it takes UTF-16 with a byte order
// mark, drops that of UTF-8, and puts U+FFFD in the place of invalid bytes and of
// lone surrogates. The result may share the memory of data, which is not changed.
func ReadJSON(data []byte) ([]byte, error) {
	switch {
	case bytes.HasPrefix(data, bomUTF8):
		data = data[len(bomUTF8):]
	case bytes.HasPrefix(data, bomUTF16LE):
		data = fromUTF16(data[len(bomUTF16LE):], binary.LittleEndian)
	case bytes.HasPrefix(data, bomUTF16BE):
		data = fromUTF16(data[len(bomUTF16BE):], binary.BigEndian)
	}
	if !utf8.Valid(data) {
		data = toValidUTF8(data)
	}
	if err := CheckJSON(data); err != nil {
		return nil, err
	}
	return replaceLoneSurrogates(data), nil
}

// fromUTF16 returns text in UTF-8. Half a unit at its end becomes U+FFFD.
func fromUTF16(text []byte, order binary.ByteOrder) []byte {
	units := make([]uint16, 0, len(text)/2+1)
	for ; len(text) >= 2; text = text[2:] {
		units = append(units, order.Uint16(text))
	}
	if len(text) > 0 {
		units = append(units, utf8.RuneError)
	}
	return []byte(string(utf16.Decode(units)))
}

// toValidUTF8 puts U+FFFD in the place of each maximal part of a rune that is not
// whole, as the WHATWG's decoder and .NET's do.
func toValidUTF8(text []byte) []byte {
	valid := make([]byte, 0, len(text)+8)
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		if r == utf8.RuneError && size == 1 {
			size = partOfRune(text)
		}
		valid = utf8.AppendRune(valid, r)
		text = text[size:]
	}
	return valid
}

// partOfRune returns how many bytes at the start of text, which begins with no
// rune, could begin one; 1 if none could (Unicode 17, section 3.9, table 3-7).
func partOfRune(text []byte) int {
	low, high, more := byte(0x80), byte(0xbf), 0
	switch first := text[0]; {
	case first == 0xe0:
		low, more = 0xa0, 2
	case first == 0xed:
		high, more = 0x9f, 2
	case 0xe1 <= first && first <= 0xef:
		more = 2
	case first == 0xf0:
		low, more = 0x90, 3
	case first == 0xf4:
		high, more = 0x8f, 3
	case 0xf1 <= first && first <= 0xf3:
		more = 3
	}
	n := 1
	for ; n <= more && n < len(text) && low <= text[n] && text[n] <= high; n++ {
		low, high = 0x80, 0xbf
	}
	return n
}

// replaceLoneSurrogates puts \ufffd in the place of escapes of surrogates that make
// no pair. data must be valid JSON.
func replaceLoneSurrogates(data []byte) []byte {
	isOwn := false // data may be changed
	for i := 0; i+1 < len(data); i++ {
		if data[i] != '\\' {
			next := bytes.IndexByte(data[i:], '\\')
			if next < 0 {
				break
			}
			i += next
		}
		unit, ok := escapedUnit(data[i:])
		if !ok {
			i++ // past what is escaped
			continue
		}
		low, hasNext := escapedUnit(data[i+escapeSize:])
		switch isPair := hasNext && utf16.DecodeRune(rune(unit), rune(low)) != utf8.RuneError; {
		case isPair:
			i += 2*escapeSize - 1
		case utf16.IsSurrogate(rune(unit)):
			if !isOwn {
				data, isOwn = bytes.Clone(data), true
			}
			copy(data[i:], `\ufffd`)
			i += escapeSize - 1
		default:
			i += escapeSize - 1
		}
	}
	return data
}

// escapeSize is the length of an escape such as \u00e9.
const escapeSize = 6

// escapedUnit returns the UTF-16 unit whose escape text begins with; ok is false if
// it begins with none.
func escapedUnit(text []byte) (unit uint16, ok bool) {
	if len(text) < escapeSize || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	value, err := strconv.ParseUint(string(text[2:escapeSize]), 16, 16)
	return uint16(value), err == nil
}
