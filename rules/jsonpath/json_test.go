package jsonpath

import (
	"errors"
	"strings"
	"testing"
)

func TestForeignJSONIsCheckedBeforeGjsonSeesIt(t *testing.T) {
	f := func(data string, want error) {
		t.Helper()
		if err := CheckJSON([]byte(data)); !errors.Is(err, want) {
			t.Errorf("checkJSON(%.40q) = %v, want %v", data, err, want)
		}
	}
	f(`{"page":{"id":"a"}}`, nil)
	f(strings.Repeat("[", maxDepth)+strings.Repeat("]", maxDepth), nil)
	f(`"`+strings.Repeat("[", 1000)+`\""`, nil) // brackets in a string nest nothing
	f(strings.Repeat("[", maxDepth+1)+strings.Repeat("]", maxDepth+1), errTooDeep)
	f(strings.Repeat("[", 8<<20), errTooDeep) // this ends the process in gjson.Valid
	f(``, errInvalidJSON)
	f(`not json {"a":1}`, errInvalidJSON)
	f(`{"a":1`, errInvalidJSON)
	f(`{"a":tru}`, errInvalidJSON)
	f(`"\`, errInvalidJSON)
}

func TestAGjsonPathIsRefusedWithTheReason(t *testing.T) {
	f := func(path, want string) {
		t.Helper()
		err := CheckGJSON(path)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("checkGJSON(%q) = %v, want %q", path, err, want)
		}
	}
	f("page", "")
	f("params.text", "")
	f("@this", "")
	f("responses.#(page==1).response.confirmed", "")
	f(`responses.#(page_name=="Travel (by bus)").response`, "")
	f(`responses.#(question=="a.b|c")#.response|@flatten`, "")
	f(`names.a\.b`, "")
	f("mail@example", "") // no modifier: it begins no part

	f("", "must be a gjson path")
	f("a..b", "empty part")
	f(".a", "empty part")
	f("a.", "ends in the middle")
	f("a|", "ends in the middle")
	f("responses.#(page==1", `'(' that is never closed`)
	f("a)", `')' that nothing opens`)
	f("(]", `']' that nothing opens`)
	f(`a.#(b=="c)`, "never closed")
	f("@nope", "modifier @nope")
	f("a.@pretty", "modifier @pretty")
	f("a|@dig:b", "modifier @dig")
}

func FuzzCheckJSON(f *testing.F) {
	f.Add([]byte(`{"a":["\"",{"b":null}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if CheckJSON(data) == nil && depth(data) > maxDepth {
			t.Errorf("JSON of depth %d was let through", depth(data))
		}
	})
}
