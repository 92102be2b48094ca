package rules

import (
	"testing"

	"github.com/sidehook/sidehook/rules/strictyaml"
)

func TestAConditionHoldsForTheStatusAndMediaType(t *testing.T) {
	f := func(c responseCondition, status int, contentType string, want bool) {
		t.Helper()
		if got := c.holds(Exchange{Status: status, ContentType: contentType}); got != want {
			t.Errorf("%s holds for %d %s: %t, want %t", c, status, contentType, got, want)
		}
	}
	anyType, json := responseCondition{statuses: []int{204}}, responseCondition{[]int{200}, "application/json"}
	several := responseCondition{[]int{200, 303}, "text/html"}
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
	f(several, 200, "text/html", true)
	f(several, 303, "text/html", true)
	f(several, 303, "", false)
	f(several, 302, "text/html", false)
}

func TestAConditionIsReadAsItIsWritten(t *testing.T) {
	f := func(text string, isRight bool) {
		t.Helper()
		doc := strictyaml.Decode("profile.yaml", []byte("app: x"), &profileFile{})
		c := compileCondition(doc, "when", text)
		if err := doc.Err(); (err == nil) != isRight {
			t.Errorf("%q: %v", text, err)
		}
		if isRight && c.String() != text {
			t.Errorf("%q is %s", text, c)
		}
	}
	for _, right := range []string{"200", "200 application/json", "200 or 302", "200 or 302 or 303 text/html"} {
		f(right, true)
	}
	for _, wrong := range []string{"ok", "100", "600", "200 json", "200 or", "200 or ", "200 text/html or 302", "200, 302", "200 or json"} {
		f(wrong, false)
	}
}
