package rules

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// decsysExchange is an exchange that Decsys accepts.
func decsysExchange(method, target, request, response string) (string, string, Exchange) {
	x := Exchange{Status: 200, ContentType: "application/json; charset=utf-8", RequestBody: []byte(request), ResponseBody: []byte(response)}
	if strings.HasPrefix(target, "/api/log/") {
		x.Status, x.ContentType = 204, ""
	}
	return method, target, x
}

func TestObserveReadsWhatAnExchangeSays(t *testing.T) {
	profile := decsys(t)
	f := func(method, target, request, response string, want Observation) {
		t.Helper()
		method, target, x := decsysExchange(method, target, request, response)
		match, _ := profile.Match([]byte(method), []byte(target))
		got, ok, err := profile.Observe(match, x)
		if !ok || err != nil {
			t.Fatalf("%s %s says nothing: %v", method, target, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s %s %s (-want +got):\n%s", method, target, response, diff)
		}
	}
	key := Key{"3", "p"}
	one := &Page{ID: "one", Number: 1}

	// ids: from the body, and from the path where the body has none
	f("GET", "/api/progress/5/3/p", "", `{"surveyId":5,"instanceId":3,"participantId":"p","pageCount":2,"page":{"id":"one","order":1}}`,
		Observation{Kind: PageShown, Journey: key, Survey: "5", FriendlyID: "fzd", Page: one, PageCount: 2})
	f("GET", "/api/progress/05/03/p", "", `{"page":{"id":"one","order":1}}`,
		Observation{Kind: PageShown, Journey: key, Survey: "5", FriendlyID: "fzd", Page: one})
	f("GET", "/api/progress/5/3/p", "", `{"surveyId":null,"page":{"id":"one","order":1}}`,
		Observation{Kind: PageShown, Journey: key, Page: one})
	f("GET", "/api/progress/fzd/p", "", `{"page":{"id":"one","order":1}}`,
		Observation{Kind: PageShown, Journey: key, Survey: "5", FriendlyID: "fzd", Page: one})
	// a study, whose participant was allotted to survey 5
	f("GET", "/api/progress/4/2/p", "", `{"surveyId":5,"instanceId":3,"participantId":"p","page":{"id":"one","order":1}}`,
		Observation{Kind: PageShown, Journey: key, Survey: "5", FriendlyID: "fzd", Study: "ezc", Via: Key{"2", "p"}, Page: one})
	// the end: page is null
	f("POST", "/api/progress/5/3/p/next", "", `{"page":null}`,
		Observation{Kind: Navigated, Journey: key, Survey: "5", FriendlyID: "fzd"})
	// the log, which names no survey
	f("POST", "/api/log/3/p/one/decsys.platform.PAGE_LOAD", "{}", "",
		Observation{Kind: PageLoaded, Journey: key, PageID: "one"})
	f("POST", "/api/log/3/p/one/decsys.platform.PAGE_LOAD", "no JSON", "",
		Observation{Kind: PageLoaded, Journey: key, PageID: "one"})
	// of equal names the last one counts
	f("GET", "/api/progress/5/3/p", "", `{"page":{"id":"two","order":2},"page":{"id":"x","id":"one","order":1}}`,
		Observation{Kind: PageShown, Journey: key, Survey: "5", FriendlyID: "fzd", Page: one})
	// what is no UTF-8
	f("POST", "/api/log/3/p/i/decsys.platform.COMPONENT_RESULTS", "\"caf\xe9\"", "",
		Observation{Kind: Answered, Journey: key, Item: "i", Answer: []byte("\"caf\ufffd\"")})
	f("POST", "/api/log/3/p/i/decsys.platform.COMPONENT_RESULTS", `{"value": 1.10}`, "",
		Observation{Kind: Answered, Journey: key, Item: "i", Answer: []byte(`{"value": 1.10}`)})
	f("POST", "/api/log/3/p/i/decsys.platform.COMPONENT_RESULTS", `null`, "",
		Observation{Kind: Answered, Journey: key, Item: "i", Answer: []byte("null")})
}

func TestAMissingAnswerIsNull(t *testing.T) {
	profile, err := ParseProfile("p.yaml", []byte(`{routes: [{on: "POST /{survey}/{participant}/{item}", says: answered, answer: "request:value"}, {on: "GET /{survey}/{participant}", says: page_shown}],
		page: {at: page, id: id, number: n, items: items}, item: {id: id, type: type}}`))
	if err != nil {
		t.Fatal(err)
	}
	match, _ := profile.Match([]byte("POST"), []byte("/5/p/i"))
	for _, body := range []string{`{}`, `{"value":null}`} {
		o, ok, err := profile.Observe(match, Exchange{Status: 200, RequestBody: []byte(body)})
		if !ok || err != nil || string(o.Answer) != "null" {
			t.Errorf("%s has the answer %q, %v; want null", body, o.Answer, err)
		}
	}
}

func TestObserveSaysWhyThereIsNothing(t *testing.T) {
	profile := decsys(t)
	f := func(method, target string, x Exchange, wantErr string) {
		t.Helper()
		match, _ := profile.Match([]byte(method), []byte(target))
		o, ok, err := profile.Observe(match, x)
		if ok || (err != nil) != (wantErr != "") || err != nil && !strings.Contains(err.Error(), wantErr) {
			t.Errorf("%s %s %+v: got %+v, %v; want the error %q", method, target, x, o, err, wantErr)
		}
	}
	shown := func(status int, contentType, body string) Exchange {
		return Exchange{Status: status, ContentType: contentType, ResponseBody: []byte(body)}
	}
	const json = "application/json"
	f("GET", "/api/progress/5/3/p", shown(404, json, `{}`), "")
	f("GET", "/api/progress/5/3/p", shown(200, "text/html", `<html>`), "")
	f("GET", "/api/progress/5/3", shown(200, json, `{"participantId":null,"page":null}`), "")
	f("GET", "/api/progress/5/3/p", shown(200, json, `{"page":`), "the app's response")
	f("GET", "/api/progress/5/3/p", shown(200, json, `{"page":{"id":null}}`), errPageWithoutID.Error())
	for _, body := range []string{`{}`, `{"error":"no"}`, `[]`, `"x"`} {
		f("POST", "/api/progress/5/3/p/next", shown(200, json, body), errNoPage.Error())
	}
	long := strings.Repeat("x", maxID+1)
	f("POST", "/api/log/3/"+long+"/i/decsys.platform.PAGE_LOAD", Exchange{Status: 204, RequestBody: []byte("{}")}, errLongID.Error())
	f("POST", "/api/log/3/p/"+long+"/decsys.platform.COMPONENT_RESULTS", Exchange{Status: 204, LacksRequest: "too large", LacksResponse: "too large"}, "too large")
	if _, _, err := profile.Observe(Match{route: profile.routes[0]}, Exchange{Status: 200, ContentType: json, LacksRequest: "truncated", LacksResponse: "truncated"}); !errors.Is(err, errUninspected) {
		t.Errorf("got %v, want %v", err, errUninspected)
	}
}

// A body that the route does not read hides no step.
func TestUnreadBodyVoidsNothing(t *testing.T) {
	profile := decsys(t)
	f := func(method, target string, x Exchange) {
		t.Helper()
		match, _ := profile.Match([]byte(method), []byte(target))
		if _, ok, err := profile.Observe(match, x); !ok || err != nil {
			t.Errorf("%s %s %+v says nothing: %v", method, target, x, err)
		}
	}
	const json = "application/json"
	f("POST", "/api/progress/5/3/p/next", Exchange{Status: 200, ContentType: json, ResponseBody: []byte(`{"page":null}`), LacksRequest: "undecodable"})
	f("POST", "/api/log/3/p/one/decsys.platform.PAGE_LOAD", Exchange{Status: 204, LacksRequest: "too large", LacksResponse: "truncated"})
	f("POST", "/api/log/3/p/i/decsys.platform.COMPONENT_RESULTS", Exchange{Status: 204, RequestBody: []byte("1"), LacksResponse: "truncated"})
}

// The app has stored an answer that it accepted, so that the one before it no
// longer counts.
func TestAnswerThatCannotBeReadIsUnknown(t *testing.T) {
	profile := decsys(t)
	f := func(x Exchange, wantErr string) {
		t.Helper()
		x.Status = 204
		match, _ := profile.Match([]byte("POST"), []byte("/api/log/3/p/i/decsys.platform.COMPONENT_RESULTS"))
		o, ok, err := profile.Observe(match, x)
		if !ok || err == nil || !strings.Contains(err.Error(), wantErr) {
			t.Errorf("%+v: ok is %v, %v; want an observation and the error %q", x, ok, err, wantErr)
		}
		want := Observation{Kind: Answered, Journey: Key{"3", "p"}, Item: "i", IsUnknown: true}
		if diff := cmp.Diff(want, o); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", x, diff)
		}
	}
	f(Exchange{}, "the participant's answer")
	f(Exchange{RequestBody: []byte("\xef\xbb\xbf{")}, "the participant's answer")
	f(Exchange{LacksRequest: "too large", LacksResponse: "too large"}, "too large")
}
