package jsonpath

import (
	"slices"
	"strings"
	"testing"
)

func TestAWrongGjsonPathIsRefusedWithAReason(t *testing.T) {
	f := func(path, want string) {
		t.Helper()
		err := CheckPath(path)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("CheckPath(%q) = %v, want %q", path, err, want)
		}
	}
	f("page", "")
	f("params.text", "")
	f("@this", "")
	f("responses.#(page==1).response.confirmed", "")
	f(`responses.#(page_name=="Travel (by bus)").response`, "")
	f(`responses.#(question=="a.b|c")#.response|@flatten`, "")
	f(`names.a\.b`, "")
	f("mail@example", "") // not a modifier, since it does not begin a part

	f("", "must be a gjson path")
	f("a..b", "empty part")
	f(".a", "empty part")
	f("a.", "ends with an empty part")
	f("a|", "ends with an empty part")
	f("responses.#(page==1", `'(' that is never closed`)
	f("a)", `')' that was never opened`)
	f("(]", `']' that was never opened`)
	f(`a.#(b=="c)`, "never closed")
	f("@nope", "modifier @nope")
	f("a.@pretty", "modifier @pretty")
	f("a|@dig:b", "modifier @dig")
}

func TestPrefixesLeadPartOfTheWay(t *testing.T) {
	f := func(path string, want ...string) {
		t.Helper()
		if got := Prefixes(path); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	f("a")
	f("a.b|c", "a", "a.b")
	f(`a\.b.c`, `a\.b`)
	f(`responses.#(page_name=="1. Travel (by bus)").response.x`, "responses", `responses.#(page_name=="1. Travel (by bus)")`, `responses.#(page_name=="1. Travel (by bus)").response`)
	f(`a."b`, "a")
}
