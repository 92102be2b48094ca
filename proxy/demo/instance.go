package demo

import (
	"encoding/json"
	"net/http"
	"time"
)

// instance is a launch of a survey, with all pages, in the wire's order.
type instance struct {
	ID                        int          `json:"id"`
	Survey                    surveyDetail `json:"survey"`
	Published                 instant      `json:"published"`
	Closed                    *instant     `json:"closed"`
	OneTimeParticipants       bool         `json:"oneTimeParticipants"`
	UseParticipantIdentifiers bool         `json:"useParticipantIdentifiers"`
	ValidIdentifiers          []string     `json:"validIdentifiers"`
	Children                  []instance   `json:"children"`
	RandomisationStrategy     *struct{}    `json:"randomisationStrategy"`
}

// surveyDetail is a survey as its author made it, in the wire's order.
type surveyDetail struct {
	ID                        int       `json:"id"`
	Name                      string    `json:"name"`
	IsStudy                   bool      `json:"isStudy"`
	Type                      *string   `json:"type"`
	Pages                     []Page    `json:"pages"`
	OneTimeParticipants       bool      `json:"oneTimeParticipants"`
	UseParticipantIdentifiers bool      `json:"useParticipantIdentifiers"`
	ValidIdentifiers          []string  `json:"validIdentifiers"`
	Settings                  struct{}  `json:"settings"`
	Parent                    *struct{} `json:"parent"`
	ParentFolderName          *string   `json:"parentFolderName"`
	ArchivedDate              *instant  `json:"archivedDate"`
}

// external is where a participant sent by a recruiting service continues.
type external struct {
	SurveyID      int     `json:"surveyId"`
	InstanceID    int     `json:"instanceId"`
	ParticipantID *string `json:"participantId"`
}

// published is the launch of the instance.
var published = time.Date(2026, time.January, 5, 9, 0, 0, 0, time.UTC)

// serveInstance handles GET /api/surveys/{surveyId}/instances/{instanceId}.
func (a *App) serveInstance(w http.ResponseWriter, r *http.Request, vars variables) {
	ids, ok := vars.numbers(a, w, "surveyId", "instanceId")
	switch {
	case !ok:
		return
	case !a.has(ids[0], ids[1]):
		a.sendNotFound(w)
		return
	}
	s := a.options.Survey
	sendJSON(w, r, instance{
		ID:               s.Instance,
		Survey:           surveyDetail{ID: s.ID, Name: s.Name, Pages: s.Pages, ValidIdentifiers: []string{}},
		Published:        instant(published),
		ValidIdentifiers: []string{},
		Children:         []instance{},
	})
}

// serveExternal handles POST /api/surveys/external/{surveyId?}, whose body is the query
// of the participant's link as an object. Without a survey in the path, Decsys
// looks for that of the STUDY_ID; here it is always the same.
func (a *App) serveExternal(w http.ResponseWriter, r *http.Request, vars variables) {
	if _, hasID := vars["surveyId"]; hasID {
		ids, ok := vars.numbers(a, w, "surveyId")
		switch {
		case !ok:
			return
		case ids[0] != a.options.Survey.ID:
			a.sendNotFound(w)
			return
		}
	}
	var query struct {
		Participant *string `json:"PROLIFIC_PID"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxEventBody)).Decode(&query); err != nil {
		a.sendProblem(w, problem{Type: badRequest, Title: "Bad Request", Status: http.StatusBadRequest})
		return
	}
	sendJSON(w, r, external{SurveyID: a.options.Survey.ID, InstanceID: a.options.Survey.Instance, ParticipantID: query.Participant})
}
