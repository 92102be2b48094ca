package outbox

import "time"

// State is where a delivery is on its way.
type State byte

// The states of a delivery. Their numbers are part of the file's format.
const (
	// Behind waits for an earlier one of its lane.
	Behind State = iota
	// Waiting may be sent once it is due.
	Waiting
	// Delivered had its 2xx.
	Delivered
	// Dead had its last attempt; nobody tries again unless it is redelivered.
	Dead
)

// String names the state as logs and the admin API do.
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

// Delivery is one event on its way to one target. All but Progress and Failure
// is fixed when it is enqueued.
type Delivery struct {
	// Seq is its place in the outbox, assigned by Enqueue, from 1.
	Seq uint64
	// ID is the webhook-id.
	ID string
	// Target and Rule are names of the configuration.
	Target, Rule string
	// Lane is the key of the order: deliveries of one lane to one target go one
	// after the other; an empty lane stands outside the order. Owner is whose
	// delivery it is, for Owned. Only their hashes are kept, so they are empty on
	// the way out.
	Lane, Owner string
	// Event is the event's name, Survey tells the admin which survey it was.
	Event, Survey string
	// Body is what is sent, byte for byte.
	Body        []byte
	ContentType string
	// Traceparent of the participant's request, empty without one.
	Traceparent string
	Created     time.Time

	Progress
	// FromRetryAfter reports that Due comes from the target's Retry-After.
	FromRetryAfter bool
	// Failure is the last failed attempt, nil without one. Due and List leave it out.
	Failure *Failure
}

// Progress is how far a delivery has come.
type Progress struct {
	State State
	// Attempts made so far, failed probes not counted; Rejections are those of
	// them that the target refused for good.
	Attempts, Rejections int
	// Due is when a retry may be sent, zero for a delivery that was not tried.
	Due time.Time
	// Finished is when it became delivered or dead, zero before.
	Finished time.Time
	// Status is the status code of the last attempt, 0 without an answer.
	Status int
	// Redelivered tells that somebody had it sent again after it was delivered
	// or dead, or sent to this target too.
	Redelivered bool
}

// Failure is a failed attempt.
type Failure struct {
	// First is when the delivery's first attempt failed.
	First time.Time
	Attempt
}

// Attempt is how one HTTP request of a delivery ended.
type Attempt struct {
	At       time.Time
	Duration time.Duration
	// Status is the target's status code, 0 without an answer.
	Status int
	// Reason says in a few words why it failed, empty for a success.
	Reason string
	// Excerpt is the beginning of a failed answer's body.
	Excerpt []byte
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

func (f *Failure) encode() []byte {
	var e encoder
	e.time(f.First)
	e.time(f.At)
	e.uint(uint64(f.Duration))
	e.uint(uint64(f.Status))
	e.text(f.Reason)
	e.bytes(f.Excerpt)
	return e
}

func decodeFailure(record []byte) (*Failure, error) {
	in := decoder{rest: record}
	f := &Failure{First: in.time()}
	f.At = in.time()
	f.Duration = time.Duration(in.uint())
	f.Status = int(in.uint())
	f.Reason = in.text()
	f.Excerpt = in.bytes()
	return f, in.err
}
