package admin

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"
)

// changeLimit is how long an operator waits for the disk.
const changeLimit = 5 * time.Second

// listed is a delivery as operators see it: without its body, which is what a
// participant answered.
type listed struct {
	ID          string     `json:"id"`
	Target      string     `json:"target"`
	Rule        string     `json:"rule"`
	Event       string     `json:"event"`
	Survey      string     `json:"survey"`
	State       string     `json:"state"`
	Redelivered bool       `json:"redelivered"`
	Created     time.Time  `json:"created"`
	Attempts    int        `json:"attempts"`
	Status      int        `json:"status"`
	Due         *time.Time `json:"due"`
	Finished    *time.Time `json:"finished"`
}

// detailed is all there is to see of a delivery.
type detailed struct {
	listed
	Failure *failure `json:"failure"`
	// Body is there only for whoever asks for it.
	Body *string `json:"body,omitempty"`
}

// failure is the last failed attempt.
type failure struct {
	First   time.Time `json:"first"`
	At      time.Time `json:"at"`
	Seconds float64   `json:"seconds"`
	Status  int       `json:"status"`
	Reason  string    `json:"reason"`
	// Excerpt is the beginning of the answer.
	Excerpt string `json:"excerpt"`
}

type listing struct {
	Deliveries []listed `json:"deliveries"`
	// After is what to ask for to go on, empty at the end.
	After string `json:"after"`
}

func (a *Admin) deliveries(w http.ResponseWriter, r *http.Request) {
	query, err := readQuery(r.URL.Query(), time.Now())
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	query.NewestFirst = true
	found, rest, err := a.config.Store.List(query)
	if err != nil {
		refuse(w, err)
		return
	}
	list := listing{Deliveries: []listed{}, After: rest}
	for _, d := range found {
		list.Deliveries = append(list.Deliveries, describe(d))
	}
	answer(w, list)
}

// delivery shows all deliveries that have the webhook-id: more than one where it
// was redelivered to other targets.
func (a *Admin) delivery(w http.ResponseWriter, r *http.Request) {
	found, _, err := a.config.Store.List(outbox.Query{ID: r.PathValue("id"), Target: r.URL.Query().Get("target")})
	if err != nil {
		refuse(w, err)
		return
	}
	if len(found) == 0 {
		http.Error(w, errNoDelivery.Error(), http.StatusNotFound)
		return
	}
	list := []detailed{}
	for _, d := range found {
		whole, err := a.config.Store.Load(d.Seq)
		if err != nil {
			refuse(w, err)
			return
		}
		if whole != nil { // it may just have been dropped
			list = append(list, detail(whole, r.URL.Query().Has("body")))
		}
	}
	answer(w, list)
}

// change makes a change of the store; false when it has answered why not.
func (a *Admin) change(w http.ResponseWriter, r *http.Request, fn func(*outbox.Tx)) bool {
	if !a.isOpen(w) {
		return false
	}
	ctx, cancel := context.WithTimeout(r.Context(), changeLimit)
	defer cancel()
	if err := a.config.Store.Do(ctx, fn); err != nil {
		refuse(w, err)
		return false
	}
	return true
}

// isOpen tells whether the store takes changes; false when it has answered why not.
func (a *Admin) isOpen(w http.ResponseWriter) bool {
	open, reason := a.config.Store.State()
	if !open {
		refuse(w, errors.New(reason))
	}
	return open
}

func describe(d *outbox.Delivery) listed {
	return listed{
		ID: d.ID, Target: d.Target, Rule: d.Rule, Event: d.Event, Survey: d.Survey, State: d.State.String(), Redelivered: d.Redelivered,
		Created: d.Created.UTC(), Attempts: d.Attempts, Status: d.Status, Due: instant(d.Due), Finished: instant(d.Finished),
	}
}

func detail(d *outbox.Delivery, withBody bool) detailed {
	one := detailed{listed: describe(d)}
	if f := d.Failure; f != nil {
		one.Failure = &failure{
			First: f.First.UTC(), At: f.At.UTC(), Seconds: f.Duration.Seconds(), Status: f.Status, Reason: f.Reason, Excerpt: string(f.Excerpt),
		}
	}
	if withBody {
		body := string(d.Body)
		one.Body = &body
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
