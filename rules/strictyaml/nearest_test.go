package strictyaml

import (
	"strings"
	"testing"
)

func TestTheNearestWordIsOffered(t *testing.T) {
	words := []string{"listen", "admin", "admin_token", "app", "state", "on", "to"}
	f := func(text, want string) {
		t.Helper()
		got := DidYouMean(text, words)
		if want != "" {
			want = `; did you mean "` + want + `"?`
		}
		if got != want {
			t.Errorf("%s: %s; want %s", text, got, want)
		}
	}

	f("lisen", "listen")
	f("Listen", "listen")
	f("ilsten", "listen") // swapped
	f("admintoken", "admin_token")
	f("amdin", "admin")
	f("ap", "app")
	f("no", "on")
	f("tos", "to")
	// nothing near
	f("", "")
	f("x", "")
	f("colour", "")
	f(strings.Repeat("listen", 1000), "")
	f("ünïcödé", "")
}

func TestAWrongValueIsShownShortAndWithoutCredentials(t *testing.T) {
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

func TestThePathOfAFileIsShownOnOneLine(t *testing.T) {
	f := func(path, want string) {
		t.Helper()
		if got := ShownPath(path); got != want {
			t.Errorf("%q: %s; want %s", path, got, want)
		}
	}

	f("/run/secrets/crm@prod", "/run/secrets/crm@prod")
	f("/run/two words", "/run/two words")
	f("/run/two\nlines", `"/run/two\nlines"`)
	f(strings.Repeat("x", maxPath+1), `"`+strings.Repeat("x", maxPath)+`"...`)
}
