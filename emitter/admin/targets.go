package admin

import (
	"net/http"
	"slices"
	"time"

	"github.com/sidehook/sidehook/emitter"
	"github.com/sidehook/sidehook/emitter/outbox"
)

// listedTarget is a target as operators see it.
type listedTarget struct {
	Name      string     `json:"name"`
	State     string     `json:"state"`
	Until     *time.Time `json:"until"`
	InFlight  int        `json:"in_flight"`
	Pending   uint64     `json:"pending"`
	Dead      uint64     `json:"dead"`
	Delivered uint64     `json:"delivered"`
	Oldest    *time.Time `json:"oldest"`
	LastError string     `json:"last_error,omitempty"`
}

func (a *Admin) targets(w http.ResponseWriter, _ *http.Request) {
	list := []listedTarget{}
	for _, target := range a.config.Targets() {
		list = append(list, listTarget(target))
	}
	answer(w, list)
}

func listTarget(t emitter.TargetStatus) listedTarget {
	return listedTarget{
		Name: t.Name, State: t.State, Until: instant(t.Until), InFlight: t.InFlight,
		Pending: t.Pending, Dead: t.Dead, Delivered: t.Delivered, Oldest: instant(t.Oldest), LastError: t.LastError,
	}
}

// enable makes a target that wanted nothing more get its deliveries again.
func (a *Admin) enable(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	isName := func(t emitter.TargetStatus) bool { return t.Name == name }
	if !slices.ContainsFunc(a.config.Targets(), isName) {
		http.Error(w, "there is no target of this name", http.StatusNotFound)
		return
	}
	if a.change(w, r, func(tx *outbox.Tx) { tx.Enable(name) }) {
		w.WriteHeader(http.StatusAccepted)
	}
}
