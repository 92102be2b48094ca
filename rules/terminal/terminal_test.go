package terminal

import (
	"encoding/json"
	"testing"
	"unicode"
)

func TestForeignTextIsEscaped(t *testing.T) {
	f := func(text, wantLine, wantText string) {
		t.Helper()
		if got := Line(text); got != wantLine {
			t.Errorf("Line(%q) = %q, want %q", text, got, wantLine)
		}
		if got := Text(text); got != wantText {
			t.Errorf("Text(%q) = %q, want %q", text, got, wantText)
		}
	}
	f("", "", "")
	f("Grüße, 你好 👋🏽", "Grüße, 你好 👋🏽", "Grüße, 你好 👋🏽")
	f("one\ttwo\nthree", `one\u0009two\u000athree`, "one\ttwo\nthree")
	f("\x1b]0;title\a", `\u001b]0;title\u0007`, `\u001b]0;title\u0007`)
	f("over\rwritten", `over\u000dwritten`, `over\u000dwritten`)
	f("\u009b2J\x7f", `\u009b2J\u007f`, `\u009b2J\u007f`)
	f("a\u202eb\u2066c\u061cd", `a\u202eb\u2066c\u061cd`, `a\u202eb\u2066c\u061cd`)
	f("a\u2028b", `a\u2028b`, `a\u2028b`)
	f("raw\x9b2J", "raw\uFFFD2J", "raw\uFFFD2J")
}

func TestEveryControlAndBidirectionalCharacterIsEscaped(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		isUnsafe := unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Bidi_Control, r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r)
		if isEscaped := Line(string(r)) != string(r); isEscaped != isUnsafe && (r < 0xd800 || r > 0xdfff) {
			t.Errorf("%U: escaped is %v, want %v", r, isEscaped, isUnsafe)
		}
	}
}

func FuzzEscapedJSONStaysTheSameDocument(f *testing.F) {
	f.Add("\u009b[2J\u202e\x1b")
	f.Fuzz(func(t *testing.T, answer string) {
		document, err := json.Marshal(answer)
		if err != nil {
			t.Fatal(err)
		}
		var want, got string
		if json.Unmarshal(document, &want) != nil || json.Unmarshal([]byte(Text(string(document))), &got) != nil || got != want {
			t.Errorf("%q became %q", want, got)
		}
	})
}
