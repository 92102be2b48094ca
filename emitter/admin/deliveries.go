package admin

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/emitter/send"
	"github.com/sidehook/sidehook/rules/config"
)

// changeTimeout is how long a request waits for the disk.
const changeTimeout = 5 * time.Second

// Delivery is a delivery without its body, which holds a participant's answers.
type Delivery struct {
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

// DeliveryDetail is everything there is to see of a delivery.
type DeliveryDetail struct {
	Delivery
	Failure     *Failure `json:"failure"`
	ContentType string   `json:"content_type"`
	// Signature is the name of the header with the app's own signature, empty without one.
	Signature string `json:"signature,omitempty"`
	// Traceparent is that of the participant's request, empty without one.
	Traceparent string `json:"traceparent,omitempty"`
	// Body is nil unless it was asked for.
	Body *string `json:"body,omitempty"`
}

// Failure is the last failed attempt.
type Failure struct {
	// First is the time of the first failed attempt, At that of the last.
	First   time.Time `json:"first"`
	At      time.Time `json:"at"`
	Seconds float64   `json:"seconds"`
	Status  int       `json:"status"`
	Reason  string    `json:"reason"`
	// Excerpt is the beginning of the target's response.
	Excerpt string `json:"excerpt"`
}

// DeliveryList is one page of deliveries.
type DeliveryList struct {
	Deliveries []Delivery `json:"deliveries"`
	// After is where the next page continues, empty at the end.
	After string `json:"after"`
}

func (a *Admin) deliveries(w http.ResponseWriter, r *http.Request) {
	query, err := readQuery(r.URL.Query(), time.Now())
	if err != nil {
		refuse(w, badRequest(err))
		return
	}
	query.NewestFirst = true
	found, rest, err := a.list(query)
	if err != nil {
		refuse(w, err)
		return
	}
	list := DeliveryList{Deliveries: []Delivery{}, After: rest}
	for _, d := range found {
		list.Deliveries = append(list.Deliveries, describe(d))
	}
	respond(w, list)
}

// list is Store.List with an error where nothing is found because there is no
// such target.
func (a *Admin) list(query outbox.Query) (found []*outbox.Delivery, rest string, err error) {
	found, rest, err = a.config.Store.List(query)
	if err == nil && len(found) == 0 && query.After == "" && query.Target != "" {
		err = a.checkKnown(query.Target)
	}
	return found, rest, err
}

// delivery responds with all deliveries that share a webhook-id: more than one
// where it was redelivered to other targets.
func (a *Admin) delivery(w http.ResponseWriter, r *http.Request) {
	withBody := r.URL.Query().Has("body")
	list, err := a.details(outbox.Query{ID: r.PathValue("id"), Target: r.URL.Query().Get("target")}, withBody)
	if err != nil {
		refuse(w, err)
		return
	}
	if withBody {
		a.config.Logger.Info("an operator looked at the body of a delivery", "delivery", list[0].ID, "address", r.RemoteAddr)
	}
	respond(w, list)
}

func (a *Admin) details(query outbox.Query, withBody bool) ([]DeliveryDetail, error) {
	found, _, err := a.list(query)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, errNoDelivery
	}
	list := []DeliveryDetail{}
	for _, d := range found {
		whole, err := a.config.Store.Load(d.Seq)
		if err != nil {
			return nil, err
		}
		if whole != nil { // it may just have been trimmed
			list = append(list, a.detail(whole, withBody))
		}
	}
	if len(list) == 0 {
		return nil, errNoDelivery
	}
	return list, nil
}

// change makes a change of the store.
func (a *Admin) change(ctx context.Context, fn func(*outbox.Tx)) error {
	if err := a.checkOpen(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, changeTimeout)
	defer cancel()
	return a.config.Store.Do(ctx, fn)
}

// checkOpen returns why the store takes no changes.
func (a *Admin) checkOpen() error {
	if isOpen, reason := a.config.Store.State(); !isOpen {
		return errors.New(reason)
	}
	return nil
}

func describe(d *outbox.Delivery) Delivery {
	return Delivery{
		ID: d.ID, Target: d.Target, Rule: d.Rule, Event: d.Event, Survey: d.Survey, State: d.State.String(), Redelivered: d.Redelivered,
		Created: d.Created.UTC(), Attempts: d.Attempts, Status: d.Status, Due: timeOrNil(d.Due), Finished: timeOrNil(d.Finished),
	}
}

func (a *Admin) detail(d *outbox.Delivery, withBody bool) DeliveryDetail {
	shown := DeliveryDetail{Delivery: describe(d), ContentType: d.ContentType, Traceparent: d.Traceparent}
	if a.current.Load().Targets[d.Target].Format == config.FormatDecsys {
		shown.Signature = send.DecsysSignature
	}
	if f := d.Failure; f != nil {
		shown.Failure = &Failure{
			First: f.First.UTC(), At: f.At.UTC(), Seconds: f.Duration.Seconds(), Status: f.Status, Reason: f.Reason, Excerpt: string(f.Excerpt),
		}
	}
	if withBody {
		body := string(d.Body)
		shown.Body = &body
	}
	return shown
}

// timeOrNil returns nil for the zero time, which JSON shows as null.
func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

func respond(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value) // the client may be gone
}
