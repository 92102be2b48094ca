package admin

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/sidehook/sidehook/emitter"
	"github.com/sidehook/sidehook/emitter/outbox"
)

// The number of deliveries in one list.
const (
	defaultList = 100
	maxList     = 1000
)

// listed is a delivery as operators see it: never its body, which is what a
// participant answered.
type listed struct {
	ID       string     `json:"id"`
	Target   string     `json:"target"`
	Rule     string     `json:"rule"`
	Event    string     `json:"event"`
	Survey   string     `json:"survey"`
	State    string     `json:"state"`
	Created  time.Time  `json:"created"`
	Attempts int        `json:"attempts"`
	Status   int        `json:"status"`
	Due      *time.Time `json:"due"`
	Finished *time.Time `json:"finished"`
	Reason   string     `json:"reason,omitempty"`
}

type listing struct {
	Deliveries []listed `json:"deliveries"`
	// After is what to ask for to go on, empty at the end.
	After string `json:"after"`
}

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

// states are those that can be asked for.
var states = map[string]outbox.State{
	"": outbox.Waiting, "pending": outbox.Waiting, "delivered": outbox.Delivered, "dead": outbox.Dead,
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

func (a *Admin) deliveries(w http.ResponseWriter, r *http.Request) {
	query, err := a.readQuery(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	found, rest, err := a.config.Store.List(query)
	if err != nil {
		unavailable(w, err)
		return
	}
	list := listing{Deliveries: []listed{}, After: rest}
	for _, d := range found {
		list.Deliveries = append(list.Deliveries, describe(d))
	}
	answer(w, list)
}

func (a *Admin) readQuery(r *http.Request) (outbox.Query, error) {
	values := r.URL.Query()
	query := outbox.Query{Target: values.Get("target"), After: values.Get("after"), Limit: defaultList}
	if query.Target == "" {
		return query, fmt.Errorf("say which target: /deliveries?target=NAME")
	}
	state, known := states[values.Get("state")]
	if !known {
		return query, fmt.Errorf("state must be pending, delivered or dead")
	}
	query.State = state
	if text := values.Get("limit"); text != "" {
		limit, err := strconv.Atoi(text)
		if err != nil || limit < 1 || limit > maxList {
			return query, fmt.Errorf("limit must be a number from 1 to %d", maxList)
		}
		query.Limit = limit
	}
	return query, nil
}

func (a *Admin) delivery(w http.ResponseWriter, r *http.Request) {
	if d := a.find(w, r); d != nil {
		answer(w, describe(d))
	}
}

// redeliver makes a delivered or dead delivery wait again, with the same id and body.
func (a *Admin) redeliver(w http.ResponseWriter, r *http.Request) {
	d := a.find(w, r)
	if d == nil {
		return
	}
	var done bool
	if err := a.config.Store.Do(r.Context(), func(tx *outbox.Tx) { done = tx.Redeliver(d.Seq) }); err != nil {
		unavailable(w, err)
		return
	}
	if !done {
		http.Error(w, "the delivery is still pending", http.StatusConflict)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

// find gives the delivery that the path names; nil when it has answered why not.
func (a *Admin) find(w http.ResponseWriter, r *http.Request) *outbox.Delivery {
	d, err := a.config.Store.Get(r.PathValue("id"))
	if err != nil {
		unavailable(w, err)
		return nil
	}
	if d == nil {
		http.Error(w, "there is no delivery with this id", http.StatusNotFound)
	}
	return d
}

// describe is one delivery without its body.
func describe(d *outbox.Delivery) listed {
	one := listed{
		ID: d.ID, Target: d.Target, Rule: d.Rule, Event: d.Event, Survey: d.Survey, State: d.State.String(),
		Created: d.Created.UTC(), Attempts: d.Attempts, Status: d.Status, Due: instant(d.Due), Finished: instant(d.Finished),
	}
	if d.Failure != nil {
		one.Reason = d.Failure.Reason
	}
	return one
}

// instant is null in JSON where there is none.
func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

func answer(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value) // whoever asked may be gone
}

func unavailable(w http.ResponseWriter, err error) {
	http.Error(w, "the store cannot answer: "+err.Error(), http.StatusServiceUnavailable)
}
