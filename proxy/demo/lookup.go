package demo

import (
	"encoding/json"
	"net/http"
	"time"
)

// config is what the page asks for when it starts; the order is the wire's.
type config struct {
	Mode                    string `json:"mode"`
	AllowRegistration       bool   `json:"allowRegistration"`
	AccountApprovalRequired bool   `json:"accountApprovalRequired"`
}

// instance is a launch of a survey, with all its pages.
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

// surveyDetail is a survey as its author made it.
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

// external is where somebody sent by a recruiting service should go.
type external struct {
	SurveyID      int     `json:"surveyId"`
	InstanceID    int     `json:"instanceId"`
	ParticipantID *string `json:"participantId"`
}

// published is when the built-in instance was launched, long before anyone took it.
var published = time.Date(2026, time.January, 5, 9, 0, 0, 0, time.UTC)

// version is GET /version: the release whose wire this is.
func (a *App) version(w http.ResponseWriter, r *http.Request, _ variables) {
	send(w, r, http.StatusOK, "application/json", []byte(`"2.6.0"`))
}

// config is GET /api/config.
func (a *App) config(w http.ResponseWriter, r *http.Request, _ variables) {
	sendJSON(w, r, config{Mode: "workshop"})
}

// instance is GET /api/surveys/{s}/instances/{i}: the survey with all its pages.
func (a *App) instance(w http.ResponseWriter, r *http.Request, vars variables) {
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

// external is POST /api/surveys/external: it takes the link's query as an
// object and gives the ids to go on with. Without a survey in the path Decsys
// looks for the one of that STUDY_ID; here it is always the one there is.
func (a *App) external(w http.ResponseWriter, r *http.Request, vars variables) {
	if _, named := vars["surveyId"]; named {
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
