package outbox

import (
	"sync"
	"time"
)

// logEvery is how often the same trouble is logged.
const logEvery = time.Minute

// failing notes why nothing can be written, and logs it once a minute.
func (s *Store) failing(err error) {
	s.setReason(err.Error())
	if s.failures.allow(time.Now()) {
		s.log.Error("what is observed is not on disk and would be lost with this process", "error", err, "waiting", s.queue.waiting())
	}
}

// working notes that the file is open and its last commit went well.
func (s *Store) working() {
	if ok, reason := s.State(); !ok {
		s.setReason("")
		s.log.Info("the state file is open", "before", reason)
		s.wake(nil)
	}
}

func (s *Store) setReason(reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reason = reason
}

// committed counts a commit and tells all who wait for it.
func (s *Store) committed(batch []job, tx *Tx, took time.Duration, t *trimmer) {
	s.queue.release(batch)
	s.mu.Lock()
	s.stats.Trimmed, s.stats.FileBytes, s.stats.UsedBytes = t.trimmed, t.fileBytes, t.usedBytes
	s.stats.Commits++
	s.stats.CommitTime += took
	s.stats.Lost += tx.refused
	s.mu.Unlock()
	s.filler.Add(tx.filled)
	if tx.withdrawn {
		s.withdrawals.Add(1)
	}
	for _, j := range batch {
		close(j.done)
	}
	s.wake(tx.woken)
	for _, fn := range tx.after {
		fn()
	}
	s.commitSeconds.Observe(took.Seconds())
}

// lose counts changes that will never be written, and logs it once a minute.
func (s *Store) lose(n int) {
	s.mu.Lock()
	s.stats.Lost += uint64(n)
	lost, reason := s.stats.Lost, s.reason
	s.mu.Unlock()
	if s.losses.allow(time.Now()) {
		s.log.Error("what was observed is lost: there is no room to wait for the disk", "lost", lost, "because", reason)
	}
}

func (s *Store) dropped() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Dropped++
}

// everyMinute lets one log line a minute pass.
type everyMinute struct {
	mu   sync.Mutex
	last time.Time
}

func (e *everyMinute) allow(now time.Time) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.last.IsZero() && now.Sub(e.last) < logEvery {
		return false
	}
	e.last = now
	return true
}
