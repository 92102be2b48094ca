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

func TestIdsOfDigitsAreNumbers(t *testing.T) {
	f := func(survey, instance, want string) {
		t.Helper()
		if got := newKey(survey, instance, "p").Instance; got != want {
			t.Errorf("survey %q and instance %q have the instance %q, want %q", survey, instance, got, want)
		}
	}
	f("5", "077", "77")
	f("05", "", "5")
	f("5", "abc", "abc")
	f("5", "0", "0")
	f("5", "99999999999999999999", "99999999999999999999")
}
