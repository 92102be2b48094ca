package outbox

import "time"

// State is where a delivery is on its way:
//
//	           no earlier one of its lane is pending
//	Enqueue ──────────────────────────────────────────► Waiting ──► Delivered
//	   │                                                 ▲   │ ▲        │
//	   └──────────────► Behind ──────────────────────────┘   │ └────────┤ Redeliver
//	                             the one before is finished  └──► Dead ─┘
//
// A failed attempt leaves a delivery Waiting until it is due again. Discard
// deletes a delivery in any state.
type State byte

// The states of a delivery. Their numbers are part of the file's format.
const (
	// Behind deliveries follow a pending one of their lane.
	Behind State = iota
	// Waiting deliveries may be sent once they are due.
	Waiting
	// Delivered ones got a 2xx.
	Delivered
	// Dead ones had their last attempt; only Redeliver makes them go on.
	Dead
)

// String returns the state's name in logs and in the admin API.
func (s State) String() string {
	switch s {
	case Behind:
		return "behind"
	case Waiting:
		return "waiting"
	case Delivered:
		return "delivered"
	case Dead:
		return "dead"
	}
	return "unknown"
}

// Delivery is one event on its way to one target. All but Progress,
// FromRetryAfter and Failure is fixed when it is enqueued.
type Delivery struct {
	// Seq is its place in the outbox, from 1. Enqueue assigns it.
	Seq uint64
	// ID is the webhook-id.
	ID string
	// Target and Rule are names of the configuration.
	Target, Rule string
	// Lane orders deliveries: those of one lane to one target are sent one after
	// the other. A delivery without a lane is outside the order. Owner is the
	// participant it belongs to, for Owned. The file has only their hashes, so both
	// are empty in a delivery that was read.
	Lane, Owner string
	// Participant stands for Owner in a delivery that was read: it is the same for the
	// same owner, zero without a lane.
	Participant uint64
	// Event is the event's name, Survey is the survey's name in the admin API.
	Event, Survey string
	// Body is sent byte for byte.
	Body        []byte
	ContentType string
	// Traceparent of the participant's request, empty without one.
	Traceparent string
	Created     time.Time

	Progress
	// FromRetryAfter reports that the target asked for the Due time.
	FromRetryAfter bool
	// Failure is the last failed attempt, nil without one. Only Load reads it.
	Failure *Failure
}

// Load returns the delivery with this seq including its body and last failure,
// nil if there is none.
func (s *Store) Load(seq uint64) (d *Delivery, err error) {
	err = s.view(func(v *view) error {
		key := uint64Key(seq)
		if v.get(bucketDeliveries, key) == nil || v.get(bucketProgress, key) == nil {
			return nil
		}
		if d, err = load(v, seq, true); err != nil {
			return err
		}
		if record := v.get(bucketFailures, key); record != nil {
			d.Failure, err = decodeFailure(record)
		}
		return err
	})
	return d, err
}

// load reads a delivery and its progress.
func load(v *view, seq uint64, withBody bool) (*Delivery, error) {
	key := uint64Key(seq)
	d, err := decodeDelivery(seq, v.get(bucketDeliveries, key), withBody)
	if err != nil {
		return nil, err
	}
	p, err := decodeProgress(v.get(bucketProgress, key))
	if err != nil {
		return nil, err
	}
	d.Progress, d.FromRetryAfter, d.Participant = p.Progress, p.fromRetryAfter, p.lane.participant()
	return d, nil
}

// delivery reads a delivery without its body. ok is false if there is none, or if
// its record is damaged.
func (tx *Tx) delivery(seq uint64) (d *Delivery, ok bool) {
	d, err := decodeDelivery(seq, tx.get(bucketDeliveries, uint64Key(seq)), false)
	return d, err == nil
}

func (d *Delivery) encode() []byte {
	e := make(encoder, 0, 96+len(d.ID)+len(d.Target)+len(d.Rule)+len(d.Survey)+len(d.Traceparent)+len(d.Body))
	for _, text := range []string{d.ID, d.Target, d.Rule, d.Event, d.Survey, d.ContentType, d.Traceparent} {
		e.text(text)
	}
	e.time(d.Created)
	e.bytes(d.Body)
	return e
}

func decodeDelivery(seq uint64, record []byte, withBody bool) (*Delivery, error) {
	d, in := &Delivery{Seq: seq}, decoder{rest: record}
	for _, text := range []*string{&d.ID, &d.Target, &d.Rule, &d.Event, &d.Survey, &d.ContentType, &d.Traceparent} {
		*text = in.text()
	}
	d.Created = in.time()
	if withBody {
		d.Body = in.bytes()
	}
	return d, in.err
}
