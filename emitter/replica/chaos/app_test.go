package chaos

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tidwall/gjson"

	"github.com/sidehook/sidehook/proxy/demo"
)

const (
	// pages is how many pages the survey has.
	pages = 7
	// requestHeader numbers the requests of participants.
	requestHeader = "X-Chaos-Request"
	// movesHeader says in a response how many moves its participant has made.
	movesHeader = "X-Chaos-Moves"
	// slowest bounds how long the app takes for a request.
	slowest = 15 * time.Millisecond
)

// The app's types of events.
const (
	pageLoad         = "decsys.platform.PAGE_LOAD"
	componentResults = "decsys.platform.COMPONENT_RESULTS"
)

// app is the demo's survey app, which enters in the ledger what it did. It takes one
// request of a participant at a time, so that their order is known.
type app struct {
	demo   http.Handler
	ledger *ledger

	mu sync.Mutex
	// of has what is known of each participant.
	of map[string]*taking
	// requests has the numbers of all requests that were taken or given up.
	requests map[string]bool
}

// taking is a participant as the app has them.
type taking struct {
	mu   sync.Mutex
	page string
}

func newApp(l *ledger) *app {
	return &app{demo: demo.New(demo.Options{Survey: travel()}), ledger: l, of: map[string]*taking{}, requests: map[string]bool{}}
}

// travel is a survey, half of whose pages want an answer.
func travel() demo.Survey {
	s := demo.Survey{ID: 7, Instance: 9, Name: "Travel"}
	for n := range pages {
		s.Pages = append(s.Pages, demo.Page{ID: pageID(n), Name: new(fmt.Sprintf("Page %d", n+1)), Order: n + 1, Components: []demo.Component{
			{Type: "heading", Order: 1, ID: fmt.Sprintf("heading-%d", n), Params: json.RawMessage(`{"text":"How was it?"}`), IsQuestionItem: true},
			{Type: "Free Text", Order: 2, ID: itemID(n), Params: json.RawMessage(`{"maxLength":500}`), IsOptional: n%2 == 0},
		}})
	}
	return s
}

func pageID(n int) string { return fmt.Sprintf("page-%d", n) }

func itemID(n int) string { return fmt.Sprintf("item-%d", n) }

// itemOf is the item of a page that takes the response.
func itemOf(page string) string { return "item-" + strings.TrimPrefix(page, "page-") }

// ServeHTTP serves participants, and sidehook, whose requests have no number.
func (a *app) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	number, words := r.Header.Get(requestHeader), strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if number == "" || len(words) < 4 {
		a.demo.ServeHTTP(w, r)
		return
	}
	time.Sleep(rand.N(slowest))
	participant := participantOf(words)
	t := a.taking(participant)
	t.mu.Lock()
	defer t.mu.Unlock()
	if !a.take(number) {
		w.WriteHeader(http.StatusConflict)
		return
	}
	a.serve(w, r, participant, t, words)
}

// participantOf returns the id in a path, empty for somebody who has none yet.
func participantOf(words []string) string {
	at := 3 // api/log/9/ID/...
	if words[1] == "progress" {
		at = 4 // api/progress/7/9/ID/...
	}
	if at < len(words) {
		return words[at]
	}
	return ""
}

func (a *app) taking(participant string) *taking {
	a.mu.Lock()
	defer a.mu.Unlock()
	t := a.of[participant]
	if t == nil {
		t = &taking{}
		a.of[participant] = t
	}
	return t
}

// take returns false for a number that was taken before, or given up.
func (a *app) take(number string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	wasGivenUp, isKnown := a.requests[number]
	if isKnown && !wasGivenUp {
		a.ledger.count(&a.ledger.twice)
	}
	a.requests[number] = wasGivenUp
	return !isKnown
}

// giveUp makes sure that the app does not take a request any more that has got lost on
// its way. If it is being taken right now, giveUp waits.
func (a *app) giveUp(participant, number string) {
	t := a.taking(participant)
	t.mu.Lock()
	defer t.mu.Unlock()
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, isKnown := a.requests[number]; !isKnown {
		a.requests[number] = true
	}
}

// serve enters what the app does. Nobody loads a page that they are not on.
func (a *app) serve(w http.ResponseWriter, r *http.Request, participant string, t *taking, words []string) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	answer := &response{header: w.Header(), status: http.StatusOK}
	r.Header.Del("Accept-Encoding")
	a.demo.ServeHTTP(answer, r)
	isMove := r.Method == http.MethodPost && words[1] == "progress"
	isAnswer := r.Method == http.MethodPost && words[len(words)-1] == componentResults
	page := gjson.GetBytes(answer.body, "page.id").String()
	switch {
	case answer.status >= http.StatusMultipleChoices:
	case isMove && page != t.page:
		a.ledger.moved(participant, t.page, page)
		t.page = page
	case isAnswer:
		a.ledger.answered(participant, words[4], gjson.GetBytes(body, "text").String())
	case r.Method == http.MethodGet && page != "":
		t.page = page
	}
	if participant != "" && words[1] == "progress" {
		w.Header().Set(movesHeader, strconv.Itoa(a.ledger.moves(participant)))
	}
	w.WriteHeader(answer.status)
	_, _ = w.Write(answer.body)
}

// response is one of the demo app before it is sent.
type response struct {
	header http.Header
	status int
	body   []byte
}

// Header implements http.ResponseWriter.
func (r *response) Header() http.Header { return r.header }

// WriteHeader implements http.ResponseWriter.
func (r *response) WriteHeader(status int) { r.status = status }

// Write implements io.Writer.
func (r *response) Write(p []byte) (int, error) {
	r.body = append(r.body, p...)
	return len(p), nil
}
