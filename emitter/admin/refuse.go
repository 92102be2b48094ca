package admin

import (
	"errors"
	"net/http"

	"github.com/sidehook/sidehook/emitter/outbox"
)

// What operators are told.
var (
	errNoDelivery = errors.New("there is no delivery with this id: there never was, or it was kept no longer than the configuration says")
	errNoTarget   = errors.New("there is no target of this name in the configuration")
	errWhich      = errors.New("say which deliveries: by id, target, rule, state, since or until")
	errLate       = errors.New("at this rate the rest would be sent more than a day from now: give a faster -rate, or go on tomorrow")
	errPending    = errors.New("it is still pending: it will be sent by itself")
)

// refuse says why something could not be done.
func refuse(w http.ResponseWriter, err error) {
	switch {
	case errors.Is(err, outbox.ErrCursor):
		http.Error(w, err.Error(), http.StatusBadRequest)
	case errors.Is(err, outbox.ErrBusy):
		http.Error(w, err.Error(), http.StatusConflict)
	default:
		http.Error(w, "the store cannot answer: "+err.Error(), http.StatusServiceUnavailable)
	}
}
