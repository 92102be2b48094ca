package rules

import "testing"

func TestASegmentIsWrittenAsItWasRead(t *testing.T) {
	f := func(text string, want segment) {
		t.Helper()
		got, err := parseSegment(text)
		if err != nil || got != want {
			t.Errorf("%s is %v, %v; want %v", text, got, err, want)
		}
		if got.String() != text {
			t.Errorf("%s is written as %s", text, got)
		}
	}
	f("api", segment{literal, "api"})
	f("{=LOAD}", segment{exactLiteral, "LOAD"})
	f("{survey}", segment{param, "survey"})
	f("{participant?}", segment{optionalParam, "participant"})
}
