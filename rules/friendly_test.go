package rules

import "testing"

func TestDecsysNamesSurveysAsItDoes(t *testing.T) {
	f := func(survey, instance, want string) {
		t.Helper()
		if got := decsysFriendlyID(survey, instance); got != want {
			t.Errorf("decsysFriendlyID(%s, %s) = %q, want %q", survey, instance, got, want)
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
