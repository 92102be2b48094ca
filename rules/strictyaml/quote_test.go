package strictyaml

import (
	"strings"
	"testing"
)

func TestQuotedIsShortAndShowsNoCredentials(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		if got := Quoted(text); got != want {
			t.Errorf("%q: %s; want %s", text, got, want)
		}
	}

	f("", `""`)
	f("a\nb", `"a\nb"`)
	f(strings.Repeat("ä", 40), `"`+strings.Repeat("ä", 40)+`"`)
	f(strings.Repeat("ä", 41), `"`+strings.Repeat("ä", 40)+`"...`)
	f("https://user:password@x", "a URL or address (not shown)")
	f("user:password@x", "a URL or address (not shown)")
}
