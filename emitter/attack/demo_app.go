package main

import (
	"crypto/rand"
	"io"
	"net/http"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/sidehook/sidehook/proxy/demo"
)

// discarded begins the ids of participants whose log the app throws away, so that
// the app forgets nobody to store an attack. An attacker who navigates has another id.
const discarded = "madeup"

// The app's types of events.
const (
	pageLoad         = "decsys.platform.PAGE_LOAD"
	componentResults = "decsys.platform.COMPONENT_RESULTS"
)

// survey is what the app asks.
var survey = demo.Library()

// demoApp is Decsys as the demo app has it.
type demoApp struct{ behind http.Handler }

func newDemoApp() app { return &demoApp{demo.New(demo.Options{Survey: survey})} }

func (*demoApp) profile() string { return "decsys" }

func (*demoApp) pages() int { return len(survey.Pages) }

func (*demoApp) whose(webhook []byte) string {
	return gjson.GetBytes(webhook, "data.participant.id").String()
}

func (a *demoApp) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	isPost := r.Method == http.MethodPost
	if isPost && strings.HasSuffix(r.URL.Path, "/next") {
		_, _ = io.Copy(io.Discard, r.Body) // as ASP.NET does, which keeps the connection
	}
	if isPost && strings.HasPrefix(r.URL.Path, "/api/log/3/"+discarded) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusNoContent)
		return
	}
	a.behind.ServeHTTP(w, r)
}

func (*demoApp) takeSurvey(w *walker) {
	id := demoID(w)
	if id == "" {
		return
	}
	if _, ok := w.request(show(id)); !ok {
		return
	}
	w.begin(id)
	for page := range survey.Pages {
		w.request(loadPage(id, page))
		w.request(request{method: http.MethodPost, path: logPath(id, itemOf(page), componentResults), body: []byte(`{"text":"` + answerMarker + id + `"}`)})
		leave := next(id)
		leave.body, leave.headers = w.disguise.body, w.disguise.headers
		if _, ok := w.request(leave); !ok {
			return
		}
		w.left(page)
	}
}

// demoID returns the id that a participant has, or that the app makes up; "" if that failed.
func demoID(w *walker) string {
	if w.haveOwnIDs {
		return rand.Text()
	}
	response, _ := w.request(show(""))
	return gjson.GetBytes(response.body, "newParticipantId").String()
}

func progressPath(participant string) string { return "/api/progress/5/3/" + participant }

func logPath(participant, source, kind string) string {
	return "/api/log/3/" + participant + "/" + source + "/" + kind
}

// itemOf is the id of the item that takes the response of a page, from 0.
func itemOf(page int) string {
	items := survey.Pages[page].Components
	return items[len(items)-1].ID
}
