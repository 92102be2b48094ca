package admin

import (
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/rules/config"
)

const (
	// copyStep is the number of deliveries that one request copies, with their bodies.
	copyStep = 64
	// defaultRate is how fast redeliveries become due, per second.
	defaultRate = 50
)

// redelivery is a selection that is sent again.
type redelivery struct {
	selection
	// to is another target to send to, empty for each delivery's own.
	to string
	// interval is the time between two redeliveries.
	interval time.Duration
}

// redeliver makes delivered or dead deliveries pending again, with the same ids
// and bodies, one after the other at a rate. With another target it copies
// deliveries in any state.
func (a *Admin) redeliver(w http.ResponseWriter, r *http.Request) {
	order, err := readRedelivery(r.URL.Query(), time.Now())
	if err == nil && order.to != "" {
		err = a.checkConfigured(order.to)
	}
	if err != nil {
		refuse(w, err)
		return
	}
	allow := func(d *outbox.Delivery) error {
		if order.to == "" {
			return nil
		}
		if err := a.config.MayMove(d.Target, order.to); err != nil {
			return refusal{http.StatusConflict, err.Error()}
		}
		return nil
	}
	done, err := a.runStep(r.Context(), order.selection, allow, order.apply)
	if err != nil {
		refuse(w, err)
		return
	}
	if done.Count > 0 && !order.dryRun {
		a.metrics.redelivered.Add(float64(done.Count))
		attrs := []any{"count", done.Count}
		if order.to != "" {
			attrs = append(attrs, "target", order.to)
		}
		a.config.Logger.Info("an operator redelivered deliveries", attrs...)
	}
	respond(w, done.BulkResult)
}

func readRedelivery(values url.Values, now time.Time) (redelivery, error) {
	selected, err := readSelection(values, now)
	if err != nil {
		return redelivery{}, err
	}
	rate := config.Rate(defaultRate)
	if text := values.Get("rate"); text != "" {
		if err := rate.UnmarshalText([]byte(text)); err != nil {
			return redelivery{}, badRequest(fmt.Errorf("rate %w", err))
		}
	}
	order := redelivery{selection: selected, to: values.Get("to")}
	if rate > 0 {
		order.interval = time.Duration(float64(time.Second) / float64(rate))
	}
	if order.to != "" {
		order.query.Limit = copyStep
	}
	return order, nil
}

// apply makes each delivery due one interval after the one before.
func (o redelivery) apply(tx *outbox.Tx, found []*outbox.Delivery) step {
	done, last := step{due: o.start.due}, o.start.began.Add(outbox.MaxRetryAfter)
	for _, d := range found {
		isMove := o.to != "" && o.to != d.Target
		switch {
		case tx != nil && !tx.IsStill(d), isPending(d) && !isMove:
			done.Pending++
		case tx == nil:
			done.Count++
		case done.due.After(last):
			done.isCut = true
			return done
		case isMove && tx.RedeliverTo(d.Seq, o.to, done.due), !isMove && tx.Redeliver(d.Seq, done.due):
			done.Count++
			done.due = done.due.Add(o.interval)
		default:
			done.Pending++
		}
	}
	return done
}

func isPending(d *outbox.Delivery) bool {
	return d.State == outbox.Waiting || d.State == outbox.Behind
}
