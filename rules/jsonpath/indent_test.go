package jsonpath

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

func TestIndentIsThatOfJSONUnlessItIsManyTimesLonger(t *testing.T) {
	nested := func(depth, leaves int) string {
		return strings.Repeat("[", depth) + strings.Repeat("1,", leaves) + "1" + strings.Repeat("]", depth)
	}
	f := func(name, document string, isIndented bool) {
		t.Helper()
		var want bytes.Buffer
		if err := json.Indent(&want, []byte(document), "  ", "  "); err != nil || !isIndented {
			want.Reset()
			want.WriteString(document)
		}
		if got := Indent([]byte(document), "  ", "  "); string(got) != want.String() {
			t.Errorf("%s: %d bytes became %d, want %d", name, len(document), len(got), want.Len())
		}
	}
	f("an object", `{"a":[1,2,{"b":"x,[\"{"}],"c":{}}`, true)
	f("no JSON", `{"a"`, false)
	f("a list of lists", nested(20, 10), true)
	f("many leaves far down", nested(9000, 20_000), false)
	f("many leaves, not so far down", nested(60, 20_000), false)
	f("brackets in a text", `"`+strings.Repeat("[", 100_000)+`"`, true)
}
