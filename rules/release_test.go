package rules

import "testing"

func TestReleasesWithoutNavigationOnTheWireAreTooOld(t *testing.T) {
	profile := decsys(t)
	f := func(answer, release string, tooOld bool) {
		t.Helper()
		if found, oldest, old := profile.TooOld([]byte(answer)); found != release || oldest != "2.0.0" || old != tooOld {
			t.Errorf("%s is %q, too old: %t", answer, found, old)
		}
	}
	f(`{"API App":"1.0.3"}`, "1.0.3", true)
	f(`"1.1.0+ab12"`, "1.1.0", true)
	f(`"2.0.0-beta.9"`, "2.0.0-beta.9", true)
	f(`"2.0.0"`, "2.0.0", false)
	f(`"2.0.1"`, "2.0.1", false)
	f(`"2.6.0+9f5b7736"`, "2.6.0", false)
	f(`"10.0.0"`, "10.0.0", false)
	f(`"unknown"`, "", false)
	f(`"99999999999999999999.0.0"`, "", false)
}
