package outbox

import (
	"encoding/binary"
	"time"
)

// The ready index has the head of each lane and nothing else. Its keys have a
// class: a delivery that was never tried is in classFresh, a retry in classRetry and
// in one of the others: in classPutOff if the target asked for its due time.
//
//	target, fresh, seq          by age
//	target, retry, due, seq     by due time
//	target, tried, seq          by age
//	target, put off, seq        by age
const (
	classFresh byte = iota
	classRetry
	classTried
	classPutOff
)

// classesByAge have all heads of lanes once.
var classesByAge = []byte{classFresh, classTried, classPutOff}

// Ready receives a token when a target may have a new delivery to send, and
// when the state file was opened. Each target has one listener.
func (s *Store) Ready(target string) <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ready[target] == nil {
		s.ready[target] = make(chan struct{}, 1)
	}
	return s.ready[target]
}

// wake sends a token to the listeners of targets, to all of them if targets is nil.
func (s *Store) wake(targets map[string]struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, listener := range s.ready {
		if _, woken := targets[name]; !woken && targets != nil {
			continue
		}
		select {
		case listener <- struct{}{}:
		default:
		}
	}
}

func freshKey(target uint32, seq uint64) []byte { return readyKey(target, classFresh, seq) }

func retryKey(target uint32, due time.Time, seq uint64) []byte {
	return readyKey(target, classRetry, uint64(nanos(due)), seq)
}

func readyKey(target uint32, class byte, numbers ...uint64) []byte {
	key := append(binary.BigEndian.AppendUint32(make([]byte, 0, 21), target), class)
	for _, n := range numbers {
		key = binary.BigEndian.AppendUint64(key, n)
	}
	return key
}

// dueOf returns the due time in a retry's key.
func dueOf(key []byte) time.Time { return fromNanos(int64(binary.BigEndian.Uint64(key[5:]))) }

// setReady adds a Waiting delivery to the index.
func (tx *Tx) setReady(seq uint64, p *progressRecord) {
	if p.Due.IsZero() {
		tx.put(bucketReady, freshKey(p.target, seq), nil)
		return
	}
	tx.put(bucketReady, retryKey(p.target, p.Due, seq), nil)
	class := classTried
	if p.fromRetryAfter {
		class = classPutOff
	}
	tx.put(bucketReady, readyKey(p.target, class, seq), nil)
}

// clearReady removes a delivery from the index. p must be as it was for setReady.
func (tx *Tx) clearReady(seq uint64, p *progressRecord) {
	if p.Due.IsZero() {
		tx.delete(bucketReady, freshKey(p.target, seq))
		return
	}
	tx.delete(bucketReady, retryKey(p.target, p.Due, seq))
	// Early releases had all retries in classTried.
	tx.delete(bucketReady, readyKey(p.target, classTried, seq))
	tx.delete(bucketReady, readyKey(p.target, classPutOff, seq))
}
