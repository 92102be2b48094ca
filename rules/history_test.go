package rules

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// pastApp responds to GET with the JSON of each path, and with 404 to others. It
// keeps the paths that were requested.
type pastApp struct {
	json     map[string]string
	requests []string
}

func (a *pastApp) get(path string) (status int, contentType string, body []byte, err error) {
	a.requests = append(a.requests, path)
	switch json, ok := a.json[path]; {
	case !ok:
		return 404, "", nil, nil
	case strings.HasPrefix(json, "<"):
		return 200, "text/html", []byte(json), nil
	case json == "broken":
		return 0, "", nil, errors.New("the connection is broken")
	case json == "failed":
		return 500, "", nil, nil
	default:
		return 200, "application/json; charset=utf-8", []byte(json), nil
	}
}

const (
	listPath   = "/api/log/3/p"
	surveyPath = "/api/surveys/5/instances/3"
	onePage    = `{"survey":{"parent":null,"pages":[{"id":"one","name":null,"order":1,"components":[{"type":"Number","id":"i"}]}]}}`
)

func decsysEvent(second int, source, kind, payload string) string {
	return fmt.Sprintf(`{"timestamp":"2026-11-23T12:00:%02dZ","source":%q,"type":"decsys.platform.%s","payload":%s}`, second, source, kind, payload)
}

func readPast(t *testing.T, app *pastApp) (*Past, error) {
	t.Helper()
	return decsys(t).ReadPast(PastRequest{Journey: Key{"3", "p"}, Survey: "5"}, app.get)
}

func TestAPastIsReadFromTheListOfEvents(t *testing.T) {
	app := &pastApp{json: map[string]string{surveyPath: onePage, listPath: "[" + strings.Join([]string{
		decsysEvent(3, "one", "PAGE_NAVIGATION", `{"TargetPageId":null}`),
		decsysEvent(1, "one", "PAGE_LOAD", "{}"),
		decsysEvent(2, "i", "COMPONENT_RESULTS", `{"value": "4"}`),
		decsysEvent(2, "i", "COMPONENT_RESULTS", "null"),
		decsysEvent(2, "5", "PAGE_RANDOMIZE", "{}"),
		`{"timestamp":null,"source":null,"type":"decsys.platform.PAGE_LOAD"}`, "null",
	}, ",") + "]"}}
	past, err := readPast(t, app)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := logOf(past.Events), `load:one answer:i={"value": "4"} answer:i=null one>end`; got != want {
		t.Errorf("got the events %s, want %s", got, want)
	}
	want := map[string]*Page{"one": {ID: "one", Number: 1, Item: &Item{ID: "i", Type: new("Number")}}}
	if diff := cmp.Diff(want, past.Pages); diff != "" {
		t.Errorf("pages (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{listPath, surveyPath}, app.requests); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestAPastIsReadFromTheLastEventsWithoutAList(t *testing.T) {
	app := &pastApp{json: map[string]string{
		listPath:                                "<!DOCTYPE html>", // of the app's own page, for unknown paths
		surveyPath:                              onePage,
		listPath + "/decsys.platform.PAGE_LOAD": decsysEvent(1, "one", "PAGE_LOAD", "{}"),
		listPath + "/one/decsys.platform.PAGE_LOAD":       decsysEvent(1, "one", "PAGE_LOAD", "{}"),
		listPath + "/i/decsys.platform.COMPONENT_RESULTS": decsysEvent(2, "i", "COMPONENT_RESULTS", "{}"),
	}}
	past, err := readPast(t, app)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := logOf(past.Events), "load:one answer:i={}"; got != want {
		t.Errorf("got the events %s, want %s", got, want)
	}
}

func TestTheStudyIsFoundAmongTheInstancesBefore(t *testing.T) {
	f := func(instance, want string, requests int) {
		t.Helper()
		app := &pastApp{json: map[string]string{
			"/api/log/" + instance + "/p":          "[" + decsysEvent(1, "one", "PAGE_LOAD", "{}") + "]",
			"/api/surveys/5/instances/" + instance: `{"survey":{"parent":{"id":4},"pages":[null,{"id":"one"}]}}`,
			"/api/surveys/4/instances/18":          `{"children":[{"id":19},{"id":20}]}`,
		}}
		past, err := decsys(t).ReadPast(PastRequest{Journey: Key{instance, "p"}, Survey: "5"}, app.get)
		if err != nil {
			t.Fatal(err)
		}
		if past.Study != want || len(app.requests) != requests {
			t.Errorf("instance %s is of study %q after %d requests, want %q after %d", instance, past.Study, len(app.requests), want, requests)
		}
	}
	f("20", decsysFriendlyID("4", "18"), 4)
	f("40", "4", 2+maxStudySearch) // too far back
	f("1", "4", 2)
	f("0", "4", 2)
	f("new", "4", 2)
}

func TestAParticipantWhoHasDoneNothingTakesFewRequests(t *testing.T) {
	f := func(app *pastApp, want int) {
		t.Helper()
		past, err := readPast(t, app)
		if err != nil || len(past.Events) != 0 || len(app.requests) != want {
			t.Errorf("got %+v, %v after %d requests; want no events after %d", past, err, len(app.requests), want)
		}
	}
	f(&pastApp{json: map[string]string{listPath: "[]"}}, 1)
	f(&pastApp{}, 3)
}

func TestAPastThatCannotBeReadIsAnError(t *testing.T) {
	events := "[" + decsysEvent(1, "one", "PAGE_LOAD", "{}") + "]"
	f := func(want string, json map[string]string) {
		t.Helper()
		if past, err := readPast(t, &pastApp{json: json}); past != nil || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %+v, %v; want no past and an error with %q", past, err, want)
		}
	}
	f("broken", map[string]string{listPath: "broken"})
	f("status 500", map[string]string{listPath: "failed"})
	f("not valid JSON", map[string]string{listPath: "["})
	f("status 500", map[string]string{listPath: events, surveyPath: "failed"})
	f("does not list", map[string]string{listPath: events})
	f("does not list", map[string]string{listPath: events, surveyPath: `{"survey":{"pages":null}}`})
	f("has no id", map[string]string{listPath: events, surveyPath: `{"survey":{"pages":[{"id":null}]}}`})
}

func TestBeginsIsTheParticipantThatTheAppCreates(t *testing.T) {
	profile := decsys(t)
	f := func(method, target string, status int, body, want string) {
		t.Helper()
		match, _ := profile.Match([]byte(method), []byte(target))
		x := Exchange{Status: status, ContentType: "application/json", ResponseBody: []byte(body)}
		if got := profile.Begins(match, x); got != want {
			t.Errorf("%s %s %s: %q begins, want %q", method, target, body, got, want)
		}
	}
	f("GET", "/api/progress/5/3", 200, `{"newParticipantId":"p"}`, "p")
	f("GET", "/api/progress/5/3", 200, `{"newParticipantId":null}`, "")
	f("GET", "/api/progress/5/3", 200, `{}`, "")
	f("GET", "/api/progress/5/3", 200, `{"newParticipantId":"p"`, "")
	f("GET", "/api/progress/5/3", 500, `{"newParticipantId":"p"}`, "")
	f("POST", "/api/progress/5/3/p/next", 200, `{"newParticipantId":"p"}`, "")
}
