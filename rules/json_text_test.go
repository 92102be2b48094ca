package rules

import (
	"encoding/json"
	"testing"
	"time"
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

func TestTimesAreInUTCWithMilliseconds(t *testing.T) {
	at := time.Date(2026, 11, 23, 22, 22, 16, 536_900_000, time.FixedZone("CET", 3600))
	if got, want := string(appendTime(nil, at)), `"2026-11-23T21:22:16.536Z"`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := string(appendTime(nil, time.Time{})); got != "null" {
		t.Errorf("got %s for no time, want null", got)
	}
}
