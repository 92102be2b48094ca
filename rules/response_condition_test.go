package rules

import "testing"

func TestAConditionHoldsForTheStatusAndMediaType(t *testing.T) {
	f := func(c responseCondition, status int, contentType string, want bool) {
		t.Helper()
		if got := c.holds(Exchange{Status: status, ContentType: contentType}); got != want {
			t.Errorf("%s holds for %d %s: %t, want %t", c, status, contentType, got, want)
		}
	}
	anyType, json := responseCondition{status: 204}, responseCondition{200, "application/json"}
	f(anyType, 204, "", true)
	f(anyType, 204, "text/html", true)
	f(anyType, 200, "", false)
	f(json, 200, "application/json; charset=utf-8", true)
	f(json, 200, "application/json; charset=utf-8; charset=UTF-8", true)
	f(json, 200, " Application/JSON ;charset=", true)
	f(json, 200, "Application/JSON", true)
	f(json, 200, "text/html", false)
	f(json, 200, "", false)
	f(json, 0, "", false)
}
