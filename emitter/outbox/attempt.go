package outbox

import "time"

// Attempt is the outcome of one HTTP request of a delivery.
type Attempt struct {
	At       time.Time
	Duration time.Duration
	// Status is the target's status code, 0 without a response.
	Status int
	// Reason is a short text about a failure, empty for a success.
	Reason string
	// Excerpt is the beginning of a failed response's body.
	Excerpt []byte
}

// Failure is the last failed attempt of a delivery.
type Failure struct {
	// First is when the delivery's first attempt failed.
	First time.Time
	Attempt
}

// putFailure keeps the last failed attempt of a delivery of that progress, and the
// time of the first one.
func (tx *Tx) putFailure(seq uint64, p *progressRecord, a Attempt) {
	f := &Failure{First: a.At, Attempt: a}
	old := tx.get(bucketFailures, uint64Key(seq))
	if old != nil {
		if last, err := decodeFailure(old); err == nil {
			f.First = last.First
		}
	}
	record := f.encode()
	d, ok := tx.delivery(seq)
	if !ok {
		return
	}
	tx.tally(tx.target(d.Target), p.State, 0, failureFootprint(record)-failureFootprint(old))
	tx.put(bucketFailures, uint64Key(seq), record)
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
