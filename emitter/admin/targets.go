package admin

import (
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"

	"github.com/sidehook/sidehook/emitter/deliver"
)

// unconfigured is the state of a target that has deliveries and is not in the configuration.
const unconfigured = "not configured"

// listedTarget is a target as operators see it.
type listedTarget struct {
	Name  string `json:"name"`
	State string `json:"state"`
	// Cause and Disabled are why a target is disabled and since when.
	Cause    string     `json:"cause,omitempty"`
	Disabled *time.Time `json:"disabled"`
	// Until is when it is tried again.
	Until        *time.Time `json:"until"`
	FailingSince *time.Time `json:"failing_since"`
	InFlight     int        `json:"in_flight"`
	Pending      uint64     `json:"pending"`
	Dead         uint64     `json:"dead"`
	Delivered    uint64     `json:"delivered"`
	Oldest       *time.Time `json:"oldest"`
	LastError    string     `json:"last_error,omitempty"`
	LastErrorAt  *time.Time `json:"last_error_at"`
	LastSuccess  *time.Time `json:"last_success"`
}

func (a *Admin) targets(w http.ResponseWriter, _ *http.Request) {
	list := []listedTarget{}
	kept, err := a.config.Store.Targets()
	for _, target := range a.config.Targets() {
		list = append(list, listTarget(target))
		delete(kept, target.Name)
	}
	if err == nil {
		for _, name := range slices.Sorted(maps.Keys(kept)) {
			if t := kept[name]; t.Pending+t.Dead+t.Delivered > 0 {
				list = append(list, listedTarget{Name: name, State: unconfigured, Pending: t.Pending, Dead: t.Dead, Delivered: t.Delivered})
			}
		}
	}
	answer(w, list)
}

func listTarget(t deliver.TargetStatus) listedTarget {
	return listedTarget{
		Name: t.Name, State: t.State.String(), Cause: string(t.Cause), Disabled: instant(t.Disabled), Until: instant(t.Until), FailingSince: instant(t.FailingSince),
		InFlight: t.InFlight, Pending: t.Pending, Dead: t.Dead, Delivered: t.Delivered, Oldest: instant(t.Oldest),
		LastError: t.LastError, LastErrorAt: instant(t.LastErrorAt), LastSuccess: instant(t.LastSuccess),
	}
}

// enable makes a disabled target get its deliveries again.
func (a *Admin) enable(w http.ResponseWriter, r *http.Request) {
	a.changeTarget(w, r, func(tx *outbox.Tx, name string) { tx.Enable(name) })
}

// disable makes a target get nothing until it is enabled, also after a restart;
// its deliveries are kept.
func (a *Admin) disable(w http.ResponseWriter, r *http.Request) {
	now := time.Now()
	a.changeTarget(w, r, func(tx *outbox.Tx, name string) { tx.Disable(name, outbox.CauseOperator, "", now) })
}

func (a *Admin) changeTarget(w http.ResponseWriter, r *http.Request, change func(tx *outbox.Tx, name string)) {
	name := r.PathValue("name")
	if !a.knows(name) {
		http.Error(w, errNoTarget.Error(), http.StatusNotFound)
		return
	}
	if a.change(w, r, func(tx *outbox.Tx) { change(tx, name) }) {
		w.WriteHeader(http.StatusAccepted)
	}
}

// knows tells whether there is such a target in the configuration.
func (a *Admin) knows(name string) bool {
	return slices.ContainsFunc(a.config.Targets(), func(t deliver.TargetStatus) bool { return t.Name == name })
}
