package strictyaml

import (
	"strings"
	"testing"
)

func TestDidYouMeanSuggestsTheNearestWord(t *testing.T) {
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
