package demo_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/sidehook/sidehook/proxy/demo"
)

const ann = "2f0c3b1e-6a53-4c0e-9a44-7d2c9b5d1e10"

// TestAppRespondsToSingleRequests covers what no recording shows, or what only the
// demo does.
func TestAppRespondsToSingleRequests(t *testing.T) {
	f := func(name, method, path, body string, wantStatus int, wantType, want string) {
		t.Run(name, func(t *testing.T) {
			base := serve(t, demo.Options{NewID: func() string { return ann }})
			got := do(t, base, method, path, body)
			if got.Status != wantStatus || got.Headers["Content-Type"] != wantType {
				t.Errorf("got %d %q, want %d %q", got.Status, got.Headers["Content-Type"], wantStatus, wantType)
			}
			if wantType != "text/html" && got.Response != want {
				t.Errorf("got  %s\nwant %s", got.Response, want)
			}
		})
	}
	const asJSON, asText, asProblem = "application/json; charset=utf-8", "text/plain; charset=utf-8", "application/problem+json; charset=utf-8"
	const trace = "00-2f0c3b1e6a534c0e9a447d2c9b5d1e10-2f0c3b1e6a534c0e-00"

	f("the configuration", "GET", "/api/config", "", 200, asJSON, `{"mode":"workshop","allowRegistration":false,"accountApprovalRequired":false}`)
	f("the version", "GET", "/version", "", 200, "application/json", `"2.6.0"`)
	f("the start page", "GET", "/", "", 200, "text/html", "")
	f("the page of a survey", "GET", "/survey/fzd", "", 200, "text/html", "")
	f("an unknown endpoint is the page", "GET", "/api/nothing/of/the/kind", "", 200, "text/html", "")
	f("POST to the page is refused", "POST", "/survey/fzd", "", 405, "", "")
	f("a participant from Prolific", "POST", "/api/surveys/external/5", `{"PROLIFIC_PID":"5f2b","STUDY_ID":"61aa"}`, 200, asJSON, `{"surveyId":5,"instanceId":3,"participantId":"5f2b"}`)
	f("a participant from Prolific, by study", "POST", "/api/surveys/external", `{"PROLIFIC_PID":"5f2b","STUDY_ID":"61aa"}`, 200, asJSON, `{"surveyId":5,"instanceId":3,"participantId":"5f2b"}`)
	f("a participant from elsewhere", "POST", "/api/surveys/external/5", `{"who":"5f2b"}`, 200, asJSON, `{"surveyId":5,"instanceId":3,"participantId":null}`)
	f("an unknown external survey", "POST", "/api/surveys/external/6", `{}`, 404, asProblem, `{"type":"https://tools.ietf.org/html/rfc9110#section-15.5.5","title":"Not Found","status":404,"traceId":"`+trace+`"}`)
	f("an external query that is not JSON", "POST", "/api/surveys/external/5", `?`, 400, asProblem, `{"type":"https://tools.ietf.org/html/rfc9110#section-15.5.1","title":"Bad Request","status":400,"traceId":"`+trace+`"}`)
	f("an event in an unknown instance", "POST", "/api/log/9999/ann/x/y", `{}`, 404, asText, "Survey Instance could not be found.")
	f("an event without a body", "POST", "/api/log/3/ann/x/y", ``, 500, "", "")
	f("an event that is too long", "POST", "/api/log/3/ann/x/y", `{"text":"`+strings.Repeat("x", 1<<20)+`"}`, 500, "", "")
	f("an instance that is not a number", "GET", "/api/log/x/ann", "", 400, asProblem, `{"errors":{"instanceId":["The value 'x' is not valid."]},"type":"https://tools.ietf.org/html/rfc9110#section-15.5.1","title":"One or more validation errors occurred.","status":400,"traceId":"`+trace+`"}`)
	f("a navigation before the start", "POST", "/api/progress/5/3/ann/next", "", 500, "", "")
	f("dots, escaped", "POST", "/api/progress/5/3/%2e%2e/next", "", 405, "", "")
}

func TestResponsesHaveALengthUnlessGzipped(t *testing.T) {
	base := serve(t, demo.Options{})
	f := func(accept, wantCoding, wantVary string, wantLength int64) {
		t.Run(accept, func(t *testing.T) {
			request, err := http.NewRequestWithContext(t.Context(), "GET", base+"/version", nil)
			if err != nil {
				t.Fatal(err)
			}
			request.Header["Accept-Encoding"] = []string{accept}
			response, err := rawTransport.RoundTrip(request)
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close() // only the header is of interest
			if got := response.Header.Get("Content-Encoding"); got != wantCoding {
				t.Errorf("Content-Encoding is %q, want %q", got, wantCoding)
			}
			if got := response.Header.Get("Vary"); got != wantVary {
				t.Errorf("Vary is %q, want %q", got, wantVary)
			}
			if response.ContentLength != wantLength {
				t.Errorf("the length is %d, want %d", response.ContentLength, wantLength)
			}
		})
	}
	f("br, GZIP;q=0.5", "gzip", "Accept-Encoding", -1)
	f("identity", "", "Accept-Encoding", 7)
	f("gzip;q=0", "", "Accept-Encoding", 7)
	f("gzip; q=0.0, br", "", "Accept-Encoding", 7)
	f("", "", "", 7)
}

func TestEventsAreStampedWithTheClock(t *testing.T) {
	now := time.Date(2026, 3, 4, 9, 14, 31, 900_400_000, time.FixedZone("", 3600))
	base := serve(t, demo.Options{Now: func() time.Time { return now }})
	do(t, base, "POST", "/api/log/3/ann/item/kind", `{ "a" : "<é>" }`)
	got := do(t, base, "GET", "/api/log/3/ANN", "").Response
	if want := `[{"timestamp":"2026-03-04T08:14:31.9+00:00","source":"item","type":"kind","payload":{"a":"<é>"}}]`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestAnswerDuringANavigationComesTooLate(t *testing.T) {
	var base string
	var answered atomic.Bool
	consent := demo.Library().Pages[0]
	base = serve(t, demo.Options{Interfere: func(r *http.Request) int {
		isNext := strings.HasSuffix(r.URL.Path, "/next")
		if isNext && answered.CompareAndSwap(false, true) {
			do(t, base, "POST", "/api/log/3/ann/"+consent.Components[2].ID+"/decsys.platform.COMPONENT_RESULTS", `{"confirmed":true}`)
		}
		return 0
	}})
	do(t, base, "GET", "/api/progress/5/3/ann", "")
	for _, want := range []int{1, 2} { // refused, then moved
		if got := pageNumber(t, do(t, base, "POST", "/api/progress/5/3/ann/next", "")); got != want {
			t.Errorf("the page is %d, want %d", got, want)
		}
	}
}

func TestFailedRequestStoresNothing(t *testing.T) {
	var fail atomic.Int32
	base := serve(t, demo.Options{Interfere: func(*http.Request) int { return int(fail.Swap(0)) }})
	do(t, base, "GET", "/api/progress/5/3/ann", "")
	before := do(t, base, "GET", "/api/log/3/ann", "")
	for _, path := range []string{"/api/progress/5/3/ann/next", "/api/log/3/ann/item/kind"} {
		fail.Store(503)
		if got := do(t, base, "POST", path, `{}`); got.Status != 503 || got.Response != "" {
			t.Errorf("%s: got %d %q, want an empty 503", path, got.Status, got.Response)
		}
	}
	after := do(t, base, "GET", "/api/log/3/ann", "")
	if diff := gocmp.Diff(before, after); diff != "" {
		t.Errorf("events before (-) and after (+) differ:\n%s", diff)
	}
}

func TestOnlyPagesMarkedRandomizeAreShuffled(t *testing.T) {
	survey := demo.Library()
	random := rand.New(rand.NewPCG(1, 2))
	base := serve(t, demo.Options{Survey: survey, Shuffle: random.Shuffle})
	orders := map[string]bool{}
	for participant := range 20 {
		var numbers []int
		path := fmt.Sprintf("/api/progress/5/3/p%d", participant)
		for shown := do(t, base, "GET", path, ""); pageNumber(t, shown) != 0; shown = do(t, base, "POST", path+"/next", "") {
			numbers = append(numbers, pageNumber(t, shown))
			item := survey.Pages[pageNumber(t, shown)-1].Components
			do(t, base, "POST", fmt.Sprintf("/api/log/3/p%d/%s/decsys.platform.COMPONENT_RESULTS", participant, item[len(item)-1].ID), `{}`)
		}
		if len(numbers) != 5 || numbers[0] != 1 || numbers[4] != 5 {
			t.Fatalf("participant %d got pages %v, want 1, the rest in any order, 5", participant, numbers)
		}
		orders[fmt.Sprint(numbers)] = true
	}
	if len(orders) != 6 {
		t.Errorf("20 participants had %d of the 6 orders: %v", len(orders), orders)
	}
}

// pageNumber returns the order of the page in a response; 0 if there is none.
func pageNumber(t *testing.T, e exchange) int {
	t.Helper()
	var progress struct{ Page struct{ Order int } }
	if err := json.Unmarshal([]byte(e.Response), &progress); err != nil {
		t.Fatalf("%s %s: cannot parse the response %d %q: %v", e.Method, e.Path, e.Status, e.Response, err)
	}
	return progress.Page.Order
}

func FuzzAppRespondsToAnyRequest(f *testing.F) {
	for _, name := range []string{"oddities", "mandatory"} {
		for _, e := range recorded(f, name) {
			f.Add(e.Method, e.Path, e.Body)
		}
	}
	app := demo.New(demo.Options{})
	f.Fuzz(func(t *testing.T, method, path, body string) {
		request, err := http.NewRequest(method, "http://survey.example.org"+path, strings.NewReader(body))
		if err != nil {
			t.Skip("net/http would refuse this request")
		}
		response := httptest.NewRecorder()
		app.ServeHTTP(response, request)
		switch response.Code {
		case 200, 204, 400, 404, 405, 500:
		default:
			t.Errorf("%s %q got status %d", method, path, response.Code)
		}
	})
}
