package jsonpath

import (
	"strings"
	"testing"
)

func TestJSONInAStringIsRead(t *testing.T) {
	data := []byte(`{"text":"{\"a\":{\"b\":[1,2]},\"c\":\"[3]\"}","bad":"[1","deep":"` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `","number":1}`)
	f := func(path, want string) {
		t.Helper()
		if err := CheckPath(path); err != nil {
			t.Fatal(err)
		}
		if got := Get(data, path); got.Raw != want {
			t.Errorf("%s is %q, want %q", path, got.Raw, want)
		}
	}
	f("text|@fromstr|a.b.1", "2")
	f("text.@fromstr.a.b.1", "2")
	f("text|@fromstr|a|@this|b", "[1,2]")
	f("text|@fromstr|c|@fromstr|0", "3")
	f("number|@fromstr", "")
	f("none|@fromstr|a", "")
	// what is no JSON, or nested too deeply
	f("bad|@fromstr", "")
	f("bad|@fromstr|0", "")
	f("deep|@fromstr", "")
	f("deep|@fromstr|0|0", "")
	if CheckPath("{a:text|@fromstr}") == nil || CheckPath("[@fromstr]") == nil {
		t.Error("gjson's own reads JSON of any depth, within brackets")
	}
}
