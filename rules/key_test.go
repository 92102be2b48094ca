package rules

import (
	"strings"
	"testing"
)

func TestAKeyIsReadBackFromItsText(t *testing.T) {
	for _, key := range []Key{{}, {"3", "p"}, {"3", ""}, {"3", "a\x00b"}} {
		if got := ParseKey(key.Text()); got != key {
			t.Errorf("got %q, want %q", got.Text(), key.Text())
		}
	}
}

func TestAKeyIsPrintedWithoutItsParticipant(t *testing.T) {
	if text := (Key{"3", "secret"}).String(); strings.Contains(text, "secret") {
		t.Errorf("the key is printed as %s", text)
	}
}

func TestIdsAreNumbersWhereTheProfileSaysSo(t *testing.T) {
	f := func(isNumeric bool, name, id, want string) {
		t.Helper()
		r := route{isNumeric: isNumeric}
		if got := r.canonical(name, id); got != want {
			t.Errorf("numeric %v: the %s %q becomes %q, want %q", isNumeric, name, id, got, want)
		}
	}
	f(true, "survey", "077", "77")
	f(true, "instance", "077", "77")
	f(true, "instance", "0", "0")
	f(true, "instance", "abc", "abc")
	f(true, "instance", "99999999999999999999", "99999999999999999999")
	f(true, "participant", "077", "077")
	f(false, "survey", "077", "077")
}
