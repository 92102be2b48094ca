package rules

import (
	"strings"
	"testing"
)

func TestAPathIsShownWithoutIDs(t *testing.T) {
	profile, err := LoadProfile("decsys")
	if err != nil {
		t.Fatal(err)
	}
	f := func(target, want string) {
		t.Helper()
		got := profile.ShownPath([]byte(target), func(text string) string { return "<" + strings.ToUpper(text) + ">" })
		if got != want {
			t.Errorf("%s: got %s, want %s", target, got, want)
		}
	}
	f("/api/progress/1/1/alice/next?token=x", "/api/progress/<1>/<1>/<ALICE>/<NEXT>")
	f("/API/Progress/1/1/al%69ce", "/api/progress/<1>/<1>/<ALICE>")
	f("/static/alice", "/<STATIC>/<ALICE>")
	f("/../api/%2e/alice/", "/api/<ALICE>")
	f("/", "/")
	f("/?alice", "/")
	f("*", "<*>")
	f(strings.Repeat("/a", 17), "<"+strings.Repeat("/A", 17)+">")
}
