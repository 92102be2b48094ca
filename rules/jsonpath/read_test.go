package jsonpath

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestForeignTextBecomesValidJSON(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		before := text
		got, err := ReadJSON([]byte(text))
		if err != nil || string(got) != want || text != before {
			t.Errorf("%q gives %q, %v; want %q", text, got, err, want)
		}
	}
	f(`{"a":"é"}`, `{"a":"é"}`)
	f("\xef\xbb\xbf{}", "{}")
	f("\xff\xfe{\x00\"\x00\xe9\x00\"\x00:\x001\x00}\x00", `{"é":1}`)
	f("\xfe\xff\x00\"\xd8\x3d\xde\x00\x00\"", `"😀"`)
	f("\xfe\xff\x00\"\xd8\x3d\x00\"", "\"\ufffd\"")
	// The examples of Unicode 17, section 3.9, tables 3-8 to 3-11.
	f("\"\xc0\xaf\xe0\x80\xbf\xf0\x81\x82A\"", `"`+strings.Repeat("\ufffd", 8)+`A"`)
	f("\"\xed\xa0\x80\xed\xbf\xbf\xed\xafA\"", `"`+strings.Repeat("\ufffd", 8)+`A"`)
	f("\"\xf4\x91\x92\x93\xffA\x80\xbfB\"", `"`+strings.Repeat("\ufffd", 5)+"A\ufffd\ufffdB\"")
	f("\"\xe1\x80\xe2\xf0\x91\x92\xf1\xbfA\"", `"`+strings.Repeat("\ufffd", 4)+`A"`)
	f("\"caf\xe9\"", "\"caf\ufffd\"")
	f(`"\ud83d\ude00 \uD83D \ude00 \\ud83d \u00e9 \ud83d\ud83d\ude00"`, `"\ud83d\ude00 \ufffd \ufffd \\ud83d \u00e9 \ufffd\ud83d\ude00"`)
}

func TestForeignTextThatIsNoJSONIsRefused(t *testing.T) {
	for _, text := range []string{"", "\xef\xbb\xbf", "\xff\xfe{", "{", "{}\xff", strings.Repeat("[", 65) + strings.Repeat("]", 65)} {
		if got, err := ReadJSON([]byte(text)); err == nil {
			t.Errorf("%q gives %q", text, got)
		}
	}
}

func FuzzReadJSON(f *testing.F) {
	for _, seed := range []string{`{"a":[1,"\ud800"]}`, "\"\xe2\x82\"", "\xff\xfe\"\x00\"\x00", "\xef\xbb\xbf1"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		read, err := ReadJSON(data)
		if err != nil {
			return
		}
		var value any
		if !utf8.Valid(read) || json.Unmarshal(read, &value) != nil {
			t.Fatalf("%q became %q", data, read)
		}
		if again, err := ReadJSON(read); err != nil || string(again) != string(read) {
			t.Errorf("%q became %q, then %q, %v", data, read, again, err)
		}
	})
}

func TestLastOfEqualNamesCounts(t *testing.T) {
	f := func(data, path, want string) {
		t.Helper()
		if got := Get([]byte(data), path).Raw; got != want {
			t.Errorf("%s at %s is %s, want %s", data, path, got, want)
		}
	}
	f(`{"a":1,"a":2}`, "a", "2")
	f(`{"a":1,"\u0061":2}`, "a", "2")
	f(`{"a":{"b":1},"a":{"b":2,"b":3}}`, "a.b", "3")
	f(`{"a":{"b":1},"a":{"c":2}}`, "a.b", "")
	f(`{"a":[{"b":1},{"b":2,"b":3}]}`, "a.1.b", "3")
	f(`{"a":1}`, "b.c", "")
	f(`{"a":1}`, "@this", `{"a":1}`)
	f(`[{"a":1},{"a":2}]`, "#.a", "[1,2]")
}
