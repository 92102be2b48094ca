package rules

import "testing"

func TestFriendlyIdsAreThoseOfDecsys(t *testing.T) {
	f := func(survey, instance, want string) {
		t.Helper()
		if got := decsysFriendlyID(survey, instance); got != want {
			t.Errorf("decsysFriendlyID(%s, %s) = %q, want %q", survey, instance, got, want)
		}
		if want == "" {
			return
		}
		if s, i := decsysIDs(want); !isDecsysFriendlyID([]byte(want)) || s != survey || i != instance {
			t.Errorf("%s stands for %s/%s, want %s/%s", want, s, i, survey, instance)
		}
	}
	f("0", "0", "aza")
	f("5", "3", "fzd")
	f("24", "25", "yz10")
	f("1215", "99", "100z34")
	f("12345", "678901", "a30zft7g")
	f("abc", "1", "")
	f("-1", "1", "")
}

func TestOtherWordsAreNotFriendlyIds(t *testing.T) {
	f := func(word string) {
		t.Helper()
		if isDecsysFriendlyID([]byte(word)) {
			t.Errorf("%q is a friendly id", word)
		}
	}
	f("5")
	f("undefined")
	f("zfzd")
	f("fzdz")
	f("z")
	f("FZD") // case matters to Decsys
	f("f-zd")
	f("1111111111111z1111111111111") // no number is that large
}
