package demo

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
)

// noActiveInstance is Decsys' text for every survey that it does not serve.
const noActiveInstance = "An active Survey Instance could not be found for the external survey details provided."

// progress is where a participant is, in the wire's order.
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

// navigationPlan is a navigation before it is stored.
type navigationPlan struct {
	source  string  // the page left, or UNKNOWN
	target  *string // the next page; nil at the end of the survey
	ends    bool    // the survey is completed
	status  int     // of the response, if not 200
	discard bool    // store nothing
}

// serveProgress handles GET /api/progress/{surveyId}/{instanceId}/{participant?}: the
// current page, or a new id for a participant who has none or has completed.
func (a *App) serveProgress(w http.ResponseWriter, r *http.Request, vars variables) {
	ids, ok := vars.numbers(a, w, "surveyId", "instanceId")
	switch {
	case !ok:
		return
	case !a.has(ids[0], ids[1]):
		send(w, r, http.StatusNotFound, textPlain, []byte(noActiveInstance))
		return
	}
	current, ok := a.current(vars["participant"])
	if !ok {
		sendEmpty(w, http.StatusInternalServerError)
		return
	}
	sendJSON(w, r, current)
}

// navigate handles POST /api/progress/{surveyId}/{instanceId}/{participant}/{key}.
// As in Decsys, it is one page forward whatever the key.
func (a *App) navigate(w http.ResponseWriter, r *http.Request, vars variables) {
	ids, ok := vars.numbers(a, w, "surveyId", "instanceId")
	switch {
	case !ok:
		return
	case !a.has(ids[0], ids[1]):
		sendEmpty(w, http.StatusInternalServerError)
		return
	}
	plan := a.plan(vars["participant"])
	if a.interfered(w, r) {
		return
	}
	a.store(vars["participant"], vars["key"], plan)
	if plan.status != 0 {
		sendEmpty(w, plan.status)
		return
	}
	sendJSON(w, r, a.progressAt(vars["participant"], plan.target))
}

// current returns the progress of a participant, and starts a new one. It fails if
// they are on a page that does not exist.
func (a *App) current(id string) (progress, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case id == "":
		return a.newParticipant(nil), true
	case a.log.of(id).completed():
		return a.newParticipant(&id), true
	}
	if a.log.of(id).order() == nil {
		a.start(id)
	}
	pointer := a.log.of(id).pointer()
	return a.onPage(id, pointer), a.options.Survey.page(pointer) != nil
}

// newParticipant offers a new id to a participant who has none or has completed.
func (a *App) newParticipant(id *string) progress {
	p, newID := a.withoutPage(id), a.options.NewID()
	p.NewParticipantID = &newID
	return p
}

// start fixes the order of pages for a participant. The caller must hold a.mu.
func (a *App) start(id string) {
	order, err := json.Marshal(struct{ Order []string }{a.options.Survey.order(a.options.Shuffle)})
	if err != nil {
		panic(err) // strings always marshal
	}
	a.add(id, strconv.Itoa(a.options.Survey.ID), pageRandomize, order)
}

// plan determines where a participant goes next.
func (a *App) plan(id string) navigationPlan {
	a.mu.Lock()
	defer a.mu.Unlock()
	p := a.log.of(id)
	if p.order() == nil || p.completed() {
		return navigationPlan{source: "UNKNOWN", status: http.StatusInternalServerError}
	}
	order, pointer := p.order(), p.pointer()
	page, at := a.options.Survey.page(pointer), slices.Index(order, pointer)
	if page == nil || at < 0 {
		return navigationPlan{status: http.StatusInternalServerError, discard: true}
	}
	item := page.response()
	isRefused := item != nil && !item.IsOptional && p.last(item.ID, componentResults) < 0
	isLast := at == len(order)-1
	switch {
	case isRefused:
		return navigationPlan{source: pointer, target: &pointer}
	case isLast:
		return navigationPlan{source: pointer, ends: true}
	default:
		return navigationPlan{source: pointer, target: &order[at+1]}
	}
}

// store stores a planned navigation, even if another one came in between.
func (a *App) store(id, key string, plan navigationPlan) {
	if plan.discard {
		return
	}
	payload, err := json.Marshal(navigation{PageRequested: key, TargetPageID: plan.target})
	if err != nil {
		panic(err) // strings always marshal
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if plan.ends {
		a.add(id, strconv.Itoa(a.options.Survey.ID), surveyComplete, json.RawMessage(`{}`))
	}
	a.add(id, plan.source, pageNavigation, payload)
}

// progressAt returns the progress after a navigation to a page, or to the end.
func (a *App) progressAt(id string, target *string) progress {
	if target == nil {
		return a.withoutPage(&id)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.onPage(id, *target)
}

// onPage returns the progress on a page. The caller must hold a.mu.
func (a *App) onPage(id, page string) progress {
	p := a.withoutPage(&id)
	p.Page = a.options.Survey.page(page)
	order := a.log.of(id).order()
	p.IsLastPage = len(order) > 0 && order[len(order)-1] == page
	return p
}

// withoutPage returns the part of the progress that is the same on every page.
func (a *App) withoutPage(participant *string) progress {
	s := a.options.Survey
	return progress{SurveyID: s.ID, InstanceID: s.Instance, ParticipantID: participant, PageCount: len(s.Pages)}
}
