package admin

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"

	"github.com/sidehook/sidehook/rules/config"
)

const (
	// actStep is how many deliveries one request changes, and so one commit;
	// copyStep is how many it copies, with their bodies.
	actStep  = 512
	copyStep = 64
	// defaultRate is how fast redeliveries become due, per second.
	defaultRate = 50
)

// acted is what came of a step; whoever asks goes on until After is empty.
type acted struct {
	// Count is how many deliveries were changed, Pending how many were left as they
	// are because they will be sent anyway.
	Count   int `json:"count"`
	Pending int `json:"pending"`
	// After is where the next step goes on.
	After string `json:"after"`
}

// act is a step through the deliveries that are meant.
type act struct {
	query outbox.Query
	// to is another target to send them to, empty for their own.
	to string
	// every is the time between two redeliveries, due when the next one is.
	every  time.Duration
	due    time.Time
	dryRun bool
	// may tells whether it may be done to a delivery, do does it unless there is nothing to do.
	may func(d *outbox.Delivery) error
	do  func(tx *outbox.Tx, d *outbox.Delivery) bool

	acted acted
	// late tells that the pace leads too far away.
	late bool
}

// redeliver makes delivered or dead deliveries wait again, one after the other
// at a rate, with the same ids and bodies; or sends deliveries in any state to
// another target.
func (a *Admin) redeliver(w http.ResponseWriter, r *http.Request) {
	values := r.URL.Query()
	one, err := newAct(values, time.Now())
	if err == nil {
		err = one.readRedelivery(values)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if one.to != "" && !a.knows(one.to) {
		http.Error(w, errNoTarget.Error(), http.StatusNotFound)
		return
	}
	one.may = func(d *outbox.Delivery) error {
		if one.to == "" {
			return nil
		}
		return a.config.MayMove(d.Target, one.to)
	}
	one.do = one.redeliver
	if a.perform(w, r, one) && one.acted.Count > 0 && !one.dryRun {
		a.metrics.redelivered.Add(float64(one.acted.Count))
		a.config.Logger.Info("an operator has deliveries sent again", "count", one.acted.Count, "to", one.to)
	}
}

// discard deletes deliveries, whatever their state.
func (a *Admin) discard(w http.ResponseWriter, r *http.Request) {
	one, err := newAct(r.URL.Query(), time.Now())
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	one.may = func(*outbox.Delivery) error { return nil }
	one.do = func(tx *outbox.Tx, d *outbox.Delivery) bool { return one.dryRun || tx.Discard(d.Seq) }
	if a.perform(w, r, one) && one.acted.Count > 0 && !one.dryRun {
		a.metrics.discarded.Add(float64(one.acted.Count))
		a.config.Logger.Warn("an operator has discarded deliveries", "count", one.acted.Count)
	}
}

// newAct reads which deliveries are meant: dead ones, where neither an id nor a
// state is given. What is finished later than the first step began is not meant:
// what was just sent again must not come round for ever.
func newAct(values url.Values, now time.Time) (*act, error) {
	if !narrows(values) {
		return nil, errWhich
	}
	query, err := readQuery(values, now)
	if err != nil {
		return nil, err
	}
	one := &act{query: query, due: now, dryRun: values.Has("dry_run")}
	one.query.Limit, one.query.Before = actStep, now
	if query.ID == "" && query.States == nil {
		one.query.States = []outbox.State{outbox.Dead}
	}
	if query.After != "" {
		began, due, after := int64(0), int64(0), ""
		if parts := strings.SplitN(query.After, ".", 3); len(parts) == 3 {
			began, _ = strconv.ParseInt(parts[0], 10, 64)
			due, _ = strconv.ParseInt(parts[1], 10, 64)
			after = parts[2]
		}
		one.query.Before, one.query.After = time.Unix(0, began), after
		if later := time.Unix(0, due); later.After(now) {
			one.due = later
		}
	}
	return one, nil
}

// readRedelivery reads what only redeliveries have.
func (o *act) readRedelivery(values url.Values) error {
	rate := config.Rate(defaultRate)
	if text := values.Get("rate"); text != "" {
		if err := rate.UnmarshalText([]byte(text)); err != nil {
			return fmt.Errorf("rate %w", err)
		}
	}
	if rate > 0 {
		o.every = time.Duration(float64(time.Second) / float64(rate))
	}
	if o.to = values.Get("to"); o.to != "" {
		o.query.Limit = copyStep
	}
	return nil
}

// redeliver makes one delivery due after the one before.
func (o *act) redeliver(tx *outbox.Tx, d *outbox.Delivery) (done bool) {
	isPending := d.State == outbox.Waiting || d.State == outbox.Behind
	isMove := o.to != "" && o.to != d.Target
	switch {
	case isPending && !isMove:
		return false
	case o.dryRun:
		return true
	case o.due.After(o.query.Before.Add(outbox.MaxRetryAfter)):
		o.late = true
		return false
	case isMove:
		done = tx.RedeliverTo(d.Seq, o.to, o.due)
	default:
		done = tx.Redeliver(d.Seq, o.due)
	}
	if done {
		o.due = o.due.Add(o.every)
	}
	return done
}

// perform makes one step and answers what came of it; false when it answered why not.
func (a *Admin) perform(w http.ResponseWriter, r *http.Request, one *act) bool {
	found, rest, err := a.config.Store.List(one.query)
	if err != nil {
		refuse(w, err)
		return false
	}
	for _, d := range found {
		if err := one.may(d); err != nil {
			http.Error(w, err.Error(), http.StatusConflict)
			return false
		}
	}
	due := one.due
	if one.dryRun {
		one.run(nil, found)
	} else if len(found) > 0 && !a.change(w, r, func(tx *outbox.Tx) { one.due = due; one.run(tx, found) }) {
		return false
	}
	if one.late {
		rest = one.query.After // the next step says so
	}
	if rest != "" || one.late {
		one.acted.After = fmt.Sprintf("%d.%d.%s", one.query.Before.UnixNano(), one.due.UnixNano(), rest)
	}
	switch hasID := one.query.ID != ""; {
	case one.late && one.acted.Count == 0:
		http.Error(w, errLate.Error(), http.StatusConflict)
	case hasID && len(found) == 0:
		http.Error(w, errNoDelivery.Error(), http.StatusNotFound)
	case hasID && one.acted.Count == 0:
		http.Error(w, errPending.Error(), http.StatusConflict)
	default:
		answer(w, one.acted)
		return true
	}
	return false
}

// run is one step, within one change of the store; a dry run has none.
func (o *act) run(tx *outbox.Tx, found []*outbox.Delivery) {
	o.acted, o.late = acted{}, false
	for _, d := range found {
		if (tx == nil || tx.IsStill(d)) && o.do(tx, d) {
			o.acted.Count++
		} else if !o.late {
			o.acted.Pending++
		}
	}
}
