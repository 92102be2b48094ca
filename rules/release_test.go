package rules

import "testing"

func TestReleasesWithoutNavigationOnTheWireAreTooOld(t *testing.T) {
	profile := decsys(t)
	f := func(answer, release string, tooOld bool) {
		t.Helper()
		if r := profile.ReadRelease(200, "application/json; charset=utf-8", []byte(answer)); r.Found != release || r.Oldest != "2.0.0" || r.IsTooOld != tooOld {
			t.Errorf("%s is %+v", answer, r)
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
	for _, r := range []Release{profile.ReadRelease(404, "application/json", []byte(`"1.0.0"`)), profile.ReadRelease(200, "text/html", []byte(`"1.0.0"`))} {
		if r != (Release{Oldest: "2.0.0"}) {
			t.Errorf("the response of another app names a release: %+v", r)
		}
	}
}
