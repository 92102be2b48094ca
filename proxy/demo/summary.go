package demo

import (
	"encoding/json"
	"net/http"
	"slices"
)

// results is the body of a summary, in the wire's order.
type results struct {
	ID            string         `json:"id"`
	SurveyStarted *instant       `json:"surveyStarted"`
	Responses     []pageResponse `json:"responses"`
}

// pageResponse is the answer on one page. Response is null until the page was
// left, and {} if it was left without an answer.
type pageResponse struct {
	Page             int             `json:"page"`
	PageName         *string         `json:"pageName"`
	Question         *string         `json:"question"`
	ResponseType     string          `json:"responseType"`
	Order            int             `json:"order"` // in the order of this participant, from 1
	Response         json.RawMessage `json:"response"`
	PageLoad         instant         `json:"pageLoad"`
	ResponseRecorded instant         `json:"responseRecorded"`
	IsOptional       bool            `json:"isOptional"`
}

// serveSummary handles GET /api/log/{instanceId}/{participant}/summary.
func (a *App) serveSummary(w http.ResponseWriter, r *http.Request, vars variables) {
	if !a.knowsInstance(w, r, vars) {
		return
	}
	id := vars["participant"]
	sendJSON(w, r, a.options.Survey.results(id, a.eventsOf(id)))
}

// results lists the pages that have a response item and that the participant has
// loaded.
func (s Survey) results(id string, p participant) results {
	summary := results{ID: id, Responses: []pageResponse{}}
	if i := slices.IndexFunc(p, func(e event) bool { return e.Type == pageLoad }); i >= 0 {
		summary.SurveyStarted = &p[i].Timestamp
	}
	order := p.order()
	for i := range s.Pages {
		page := &s.Pages[i]
		item, loaded := page.response(), p.last(page.ID, pageLoad)
		if item == nil || loaded < 0 {
			continue
		}
		entry := pageResponse{
			Page: page.Order, PageName: page.Name, Question: page.question(),
			ResponseType: item.Type, Order: slices.Index(order, page.ID) + 1,
			PageLoad: p[loaded].Timestamp, IsOptional: item.IsOptional,
		}
		if recorded := p.last(item.ID, componentResults); recorded >= 0 {
			entry.Response, entry.ResponseRecorded = p[recorded].Payload, p[recorded].Timestamp
		} else if p.last(page.ID, pageNavigation) > loaded {
			entry.Response = json.RawMessage(`{}`)
		}
		summary.Responses = append(summary.Responses, entry)
	}
	return summary
}
