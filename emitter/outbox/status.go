package outbox

import "errors"

// phase is where a Store is in its life:
//
//	            the file is open       Run ends
//	           ┌─────────► open ───┐
//	opening ───┤           ▲  │    ├──► closed
//	           │           │  ▼    │
//	           └────────► failed ──┘
//	   it cannot be opened or written; retried
type phase int

const (
	phaseOpening phase = iota
	phaseOpen
	phaseFailed
	phaseClosed
)

func (p phase) String() string {
	switch p {
	case phaseOpening:
		return "opening"
	case phaseOpen:
		return "open"
	case phaseFailed:
		return "failed"
	case phaseClosed:
		return "closed"
	}
	return "unknown"
}

// status is a phase and, for a failed store, its cause.
type status struct {
	phase phase
	err   error
}

// reason is why no changes are written, empty if they are.
func (s status) reason() string {
	switch s.phase {
	case phaseOpening:
		return "not opened yet"
	case phaseFailed:
		return s.err.Error()
	case phaseClosed:
		return "stopped"
	case phaseOpen:
	}
	return ""
}

// State reports whether changes are written to the file and, if not, why.
// While they are not, waiting for a change is pointless.
func (s *Store) State() (ok bool, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.status.phase == phaseOpen, s.status.reason()
}

// FileState reports whether the file is open and was written last and, if not, why. It is
// that of State but where what keeps changes waiting is the log of the replicas.
func (s *Store) FileState() (ok bool, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	isOfLog := s.status.phase == phaseFailed && errors.Is(s.status.err, errLog)
	return isOfLog || s.status.phase == phaseOpen, s.status.reason()
}

// setStatus moves the store to another phase and returns its status before.
func (s *Store) setStatus(next status) (last status) {
	s.mu.Lock()
	defer s.mu.Unlock()
	last, s.status = s.status, next
	return last
}
