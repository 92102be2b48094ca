package jsonpath

import (
	"encoding/json"
	"testing"
)

func TestStringsAreEscapedAsByNewtonsoft(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		if got := string(AppendString(nil, text)); got != want {
			t.Errorf("AppendString(%q) = %s, want %s", text, got, want)
		}
	}
	f("", `""`)
	f("plain", `"plain"`)
	f(`"\`, `"\"\\"`)
	f("\b\t\n\f\r\x00\x1f", `"\b\t\n\f\r\u0000\u001f"`)
	f("<&>'é日本😀", `"<&>'é日本😀"`)
	f("\u0085\u2028\u2029", `"\u0085\u2028\u2029"`)
	f("\xff", `"`+"\uFFFD"+`"`)
}

func FuzzAppendString(f *testing.F) {
	f.Add("é\u2028\x01\xff\"")
	f.Fuzz(func(t *testing.T, text string) {
		var back string
		if err := json.Unmarshal(AppendString(nil, text), &back); err != nil {
			t.Fatalf("AppendString(%q) is no JSON: %v", text, err)
		}
		if again := string([]rune(text)); back != again {
			t.Errorf("AppendString(%q) reads back as %q", text, back)
		}
	})
}
