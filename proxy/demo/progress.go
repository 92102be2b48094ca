package demo

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
)

// noActiveInstance is what Decsys says for every survey it will not show.
const noActiveInstance = "An active Survey Instance could not be found for the external survey details provided."

// progress tells where a participant is; the order of fields is the wire's.
type progress struct {
	SurveyID                  int      `json:"surveyId"`
	InstanceID                int      `json:"instanceId"`
	ParticipantID             *string  `json:"participantId"`
	NewParticipantID          *string  `json:"newParticipantId"`
	Page                      *Page    `json:"page"`
	IsLastPage                bool     `json:"isLastPage"`
	PageCount                 int      `json:"pageCount"`
	UseParticipantIdentifiers bool     `json:"useParticipantIdentifiers"`
	Settings                  struct{} `json:"settings"`
}

// step is a navigation between reading where a participant is and moving them.
type step struct {
	source string  // the page left, or UNKNOWN
	target *string // the page gone to; nil at the end of the survey
	ends   bool    // the survey is complete now
	status int     // what to answer when it is not 200
	silent bool    // nothing is stored
}

// progress is GET /api/progress: the page a participant is on, or a new id for
// one who has none or is through.
func (a *App) progress(w http.ResponseWriter, r *http.Request, vars variables) {
	ids, ok := vars.numbers(a, w, "surveyId", "instanceId")
	switch {
	case !ok:
		return
	case !a.has(ids[0], ids[1]):
		send(w, r, http.StatusNotFound, textPlain, []byte(noActiveInstance))
		return
	}
	answer, ok := a.position(vars["participant"])
	if !ok {
		sendEmpty(w, http.StatusInternalServerError)
		return
	}
	sendJSON(w, r, answer)
}

// navigate is POST /api/progress: one page forward, whatever the key says.
func (a *App) navigate(w http.ResponseWriter, r *http.Request, vars variables) {
	ids, ok := vars.numbers(a, w, "surveyId", "instanceId")
	switch {
	case !ok:
		return
	case !a.has(ids[0], ids[1]):
		sendEmpty(w, http.StatusInternalServerError)
		return
	}
	s := a.plan(vars["participant"])
	if a.interfered(w, r) {
		return
	}
	a.move(vars["participant"], vars["key"], s)
	if s.status != 0 {
		sendEmpty(w, s.status)
		return
	}
	sendJSON(w, r, a.shown(vars["participant"], s.target))
}

// position reads where a participant is, and starts one who is new. It fails
// when they are on a page that does not exist.
func (a *App) position(id string) (progress, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if id == "" {
		answer := a.about(nil)
		answer.NewParticipantID = a.newID()
		return answer, true
	}
	if a.log.of(id).completed() {
		answer := a.about(&id)
		answer.NewParticipantID = a.newID()
		return answer, true
	}
	if a.log.of(id).order() == nil {
		a.start(id)
	}
	pointer := a.log.of(id).pointer()
	return a.onPage(id, pointer), a.options.Survey.page(pointer) != nil
}

// start fixes the order of pages for a participant. The lock must be held.
func (a *App) start(id string) {
	order, err := json.Marshal(struct{ Order []string }{a.options.Survey.order(a.options.Shuffle)})
	if err != nil {
		panic(err) // strings always marshal
	}
	a.add(id, strconv.Itoa(a.options.Survey.ID), pageRandomize, order)
}

// plan reads where a participant is and where they would go next.
func (a *App) plan(id string) step {
	a.mu.Lock()
	defer a.mu.Unlock()
	p := a.log.of(id)
	if p.order() == nil || p.completed() {
		return step{source: "UNKNOWN", status: http.StatusInternalServerError}
	}
	order, pointer := p.order(), p.pointer()
	page, at := a.options.Survey.page(pointer), slices.Index(order, pointer)
	if page == nil || at < 0 {
		return step{status: http.StatusInternalServerError, silent: true}
	}
	item := page.response()
	isRefused := item != nil && !item.IsOptional && p.last(item.ID, componentResults) < 0
	isLast := at == len(order)-1
	switch {
	case isRefused:
		return step{source: pointer, target: &pointer}
	case isLast:
		return step{source: pointer, ends: true}
	default:
		return step{source: pointer, target: &order[at+1]}
	}
}

// move stores what plan found, though others may have moved meanwhile.
func (a *App) move(id, key string, s step) {
	if s.silent {
		return
	}
	payload, err := json.Marshal(navigation{PageRequested: key, TargetPageID: s.target})
	if err != nil {
		panic(err) // strings always marshal
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if s.ends {
		a.add(id, strconv.Itoa(a.options.Survey.ID), surveyComplete, json.RawMessage(`{}`))
	}
	a.add(id, s.source, pageNavigation, payload)
}

// shown is the answer to a navigation.
func (a *App) shown(id string, target *string) progress {
	if target == nil {
		return a.about(&id)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.onPage(id, *target)
}

// onPage says that a participant is on a page. The lock must be held.
func (a *App) onPage(id, page string) progress {
	answer := a.about(&id)
	answer.Page = a.options.Survey.page(page)
	order := a.log.of(id).order()
	answer.IsLastPage = len(order) > 0 && order[len(order)-1] == page
	return answer
}

// about says what is the same on every page.
func (a *App) about(participant *string) progress {
	s := a.options.Survey
	return progress{SurveyID: s.ID, InstanceID: s.Instance, ParticipantID: participant, PageCount: len(s.Pages)}
}

func (a *App) newID() *string {
	id := a.options.NewID()
	return &id
}
