package outbox

import (
	"encoding/hex"
	"errors"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"
)

// maxScan bounds how many records one answer to a Query looks at.
const maxScan = 10_000

// ErrCursor is what a Query gives whose After is not what the last one ended with.
var ErrCursor = errors.New("cannot go on from there: give what the last list ended with")

// Query says which deliveries are meant. What is left empty does not narrow it.
type Query struct {
	// ID is a webhook-id, which several deliveries have where one was redelivered
	// to other targets.
	ID           string
	Target, Rule string
	// States are listed one after the other, of each target: Waiting stands for all
	// that is pending, oldest first; Delivered and Dead go by when they became that.
	States []State
	// Since and Until bound when a delivery was made; Until itself is not in.
	Since, Until time.Time
	// Before leaves out what was delivered or dead at that time or later.
	Before time.Time
	// NewestFirst lists what is finished the other way round.
	NewestFirst bool
	// After is where the last answer ended, empty for the first.
	After string
	// Limit is the largest number of deliveries to return.
	Limit int
}

// AllStates are the states of a Query that wants them all.
var AllStates = []State{Waiting, Dead, Delivered}

// List returns deliveries without their bodies, and where to go on, empty when
// there are no more. It may return fewer than Limit before the end.
func (s *Store) List(q Query) (list []*Delivery, rest string, err error) {
	err = s.view(func(tx *bolt.Tx) error {
		list, rest, err = q.find(tx)
		return err
	})
	return list, rest, err
}

func (q Query) find(tx *bolt.Tx) (list []*Delivery, rest string, err error) {
	if q.ID != "" {
		list, err = q.findID(tx)
		return list, "", err
	}
	after, err := hex.DecodeString(q.After)
	if err != nil || len(after) > 0 && len(after) < sectionSize {
		return nil, "", ErrCursor
	}
	sections, err := q.sections(tx)
	if err != nil {
		return nil, "", err
	}
	l := lister{tx: tx, query: q, room: q.Limit, scans: maxScan}
	for _, section := range sections {
		if len(after) > 0 && string(after[:sectionSize]) != string(section.prefix()) {
			continue
		}
		l.list(section, after)
		if after = nil; l.err != nil || l.rest != nil {
			break
		}
	}
	return l.found, hex.EncodeToString(l.rest), l.err
}

// findID finds the few deliveries that have the query's id.
func (q Query) findID(tx *bolt.Tx) (list []*Delivery, err error) {
	targets := tx.Bucket(bucketTargets)
	keys := []hash{hashOf(q.ID)}
	_ = targets.ForEach(func(name, _ []byte) error { keys = append(keys, copyID(q.ID, string(name))); return nil })
	for _, key := range keys {
		value := tx.Bucket(bucketIDs).Get(key[:])
		if len(value) != 8 {
			continue
		}
		d, err := load(tx, lastUint64(value), false)
		if err != nil {
			return nil, err
		}
		if q.wantsState(d.State) && q.wants(d) {
			list = append(list, d)
		}
	}
	return list, nil
}

func (q Query) wantsState(state State) bool {
	if state == Behind {
		state = Waiting
	}
	return len(q.States) == 0 || slices.Contains(q.States, state)
}

// wants tells whether a delivery of one of the query's states is meant.
func (q Query) wants(d *Delivery) bool {
	return (q.Target == "" || d.Target == q.Target) &&
		(q.Rule == "" || d.Rule == q.Rule) &&
		(q.Since.IsZero() || !d.Created.Before(q.Since)) &&
		(q.Until.IsZero() || d.Created.Before(q.Until)) &&
		(q.Before.IsZero() || d.Finished.Before(q.Before))
}
