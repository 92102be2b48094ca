package outbox

import "time"

// Stats are the counters of a Store since it was made.
type Stats struct {
	// Commits is the number of commits that reached the disk, CommitTime the time they took.
	Commits    uint64
	CommitTime time.Duration
	// Waiting is the number of changes that are not on disk yet.
	Waiting int
	// Lost counts changes that found the queue full or were not written before
	// Run ended, and deliveries that found the file full.
	Lost uint64
	// Dropped counts changes that failed or panicked.
	Dropped uint64
	// Trimmed counts records dropped by retention.
	Trimmed uint64
	// FileBytes is the size of the state file, UsedBytes how much of it is in use.
	FileBytes, UsedBytes int64
}

// Stats returns the counters.
func (s *Store) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	stats := s.stats
	stats.Waiting = s.changes.waiting()
	return stats
}

func (s *Store) countLost(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Lost += uint64(n)
}

func (s *Store) countDropped() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Dropped++
}

func (s *Store) countCommit(tx *Tx, t *trimmer, took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Commits++
	s.stats.CommitTime += took
	s.stats.Lost += tx.refused
	s.stats.Trimmed, s.stats.FileBytes, s.stats.UsedBytes = t.trimmed, t.fileBytes, t.usedBytes
}

// countFile notes how large the file is.
func (s *Store) countFile(t *trimmer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.FileBytes, s.stats.UsedBytes = t.fileBytes, t.usedBytes
}
