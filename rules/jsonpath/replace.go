package jsonpath

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/tidwall/gjson"
)

// Edit replaces each part of an answer that a path leads to.
type Edit struct {
	Path AnswerPath
	// With returns the JSON that takes the place of value. It must not change value,
	// which is a part of the answer.
	With func(value []byte) []byte
}

// part is a part of an answer by its bytes.
type part struct {
	start, end int
	with       func(value []byte) []byte
}

// Replace returns a copy of answer, which must have passed CheckJSON, with the
// edits made. Of parts within one another the outermost is replaced; of two edits
// of one part the first is made.
func Replace(answer []byte, edits []Edit) []byte {
	parsed := gjson.ParseBytes(answer)
	var parts []part
	for _, edit := range edits {
		parts = edit.Path.appendParts(parts, parsed, edit.With)
	}
	outermostFirst := func(a, b part) int { return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(b.end, a.end)) }
	slices.SortStableFunc(parts, outermostFirst)
	var out []byte
	at := 0
	for _, p := range parts {
		if p.start < at {
			continue
		}
		out = append(append(out, answer[at:p.start]...), p.with(answer[p.start:p.end])...)
		at = p.end
	}
	return append(out, answer[at:]...)
}

// appendParts appends the parts of value that the path leads to.
func (p AnswerPath) appendParts(parts []part, value gjson.Result, with func([]byte) []byte) []part {
	if len(p) == 0 {
		return append(parts, part{value.Index, value.Index + len(value.Raw), with})
	}
	if value.Type != gjson.JSON {
		return parts
	}
	index := -1
	value.ForEach(func(key, member gjson.Result) bool {
		index++
		name := key.Str
		if value.IsArray() {
			name = strconv.Itoa(index)
		}
		if p[0].any || p[0].name == name {
			parts = p[1:].appendParts(parts, member, with)
		}
		return true
	})
	return parts
}
