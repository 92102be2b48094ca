package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"
)

const (
	// defaultList and maxList are numbers of deliveries in one list.
	defaultList = 100
	maxList     = 1000
	// changeLimit is how long an operator waits for the disk.
	changeLimit = 5 * time.Second
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

// states are those that can be asked for.
var states = map[string]outbox.State{
	"": outbox.Waiting, "pending": outbox.Waiting, "delivered": outbox.Delivered, "dead": outbox.Dead,
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
	if !a.change(w, r, func(tx *outbox.Tx) { done = tx.Redeliver(d.Seq) }) {
		return
	}
	if !done {
		http.Error(w, "the delivery is still pending", http.StatusConflict)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

// change makes a change of the store; false when it has answered why not.
func (a *Admin) change(w http.ResponseWriter, r *http.Request, fn func(*outbox.Tx)) bool {
	ctx, cancel := context.WithTimeout(r.Context(), changeLimit)
	defer cancel()
	if err := a.config.Store.Do(ctx, fn); err != nil {
		unavailable(w, err)
		return false
	}
	return true
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
