package replica

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// clockFile has the correction of the clock, for a start at which there is nobody to
// compare it with.
const clockFile = "clock"

// savedClock is the content of the clockFile.
type savedClock struct {
	// Ahead is how far the clock of this replica is ahead of the shared one.
	Ahead time.Duration `json:"ahead_ns"`
	// Saved is when that was found, by its own clock.
	Saved time.Time `json:"saved"`
}

// load takes up a correction that an earlier incarnation has found lately.
func (c *sharedClock) load(dir string, now time.Time) error {
	content, err := os.ReadFile(filepath.Join(dir, clockFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var saved savedClock
	if err == nil {
		err = json.Unmarshal(content, &saved)
	}
	if err != nil {
		return err
	}
	if age := now.Sub(saved.Saved).Abs(); age < clockMemory {
		c.shift, c.heard, c.lately = -saved.Ahead, 2, now
		c.kept = c.shift
	}
	return nil
}

// save leaves the correction to the next incarnation. It is not synced: a file that is
// torn by a power loss is not read.
func (c *sharedClock) save(dir string, now time.Time) error {
	content, err := json.Marshal(savedClock{-c.shift, now})
	if err != nil {
		return err
	}
	path := filepath.Join(dir, clockFile)
	if err := os.WriteFile(path+".new", content, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
