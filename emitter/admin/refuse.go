package admin

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"
)

// refusal is an error with the HTTP status that reports it.
type refusal struct {
	status int
	text   string
}

func (r refusal) Error() string { return r.text }

var (
	errNoDelivery = refusal{http.StatusNotFound, "no delivery has this id: it never existed, or its retention is over"}
	errNoSurvey   = refusal{http.StatusNotFound, "nothing was counted of this survey: it never had participants, or their retention is over"}
	errSelection  = refusal{http.StatusBadRequest, "select deliveries by id, target, rule, survey, event, state, since or until"}
	errTooSlow    = refusal{http.StatusConflict, "at this rate the rest would be sent more than a day from now: use a higher rate, or continue tomorrow"}
	errFollows    = refusal{http.StatusServiceUnavailable, "another replica has begun to lead: try again"}
	errPending    = refusal{http.StatusConflict, "the delivery is pending: it will be sent anyway"}
)

// badRequest reports a request that cannot be understood.
func badRequest(err error) refusal { return refusal{http.StatusBadRequest, err.Error()} }

// refuse responds with err and the status that fits it.
func refuse(w http.ResponseWriter, err error) {
	var known refusal
	if isFollower(err) {
		err = errFollows
	}
	if errors.Is(err, errNoLeader) || errors.Is(err, errFollows) {
		w.Header().Set("Retry-After", strconv.Itoa(int(leaderPatience/time.Second)))
	}
	switch {
	case errors.As(err, &known):
		http.Error(w, known.text, known.status)
	case errors.Is(err, outbox.ErrCursor):
		http.Error(w, err.Error(), http.StatusBadRequest)
	case errors.Is(err, outbox.ErrBusy):
		http.Error(w, err.Error(), http.StatusConflict)
	default:
		http.Error(w, "the store is unavailable: "+err.Error(), http.StatusServiceUnavailable)
	}
}
