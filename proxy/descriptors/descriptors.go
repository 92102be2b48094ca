// Package descriptors divides the file descriptors of the process among those
// who need some, so that participants, who can open as many connections as they
// like, leave enough for the app, the targets, the state and the operators, and
// also fit in the memory that there is.
package descriptors

import (
	"syscall"

	"github.com/sidehook/sidehook/rules/config"
)

const (
	// MaxParticipants is the most connections of participants, whatever the limit.
	MaxParticipants = 16 << 10
	maxAdmin        = 128
	minAdmin        = 4
	// fewAdmin is how many operators have where there are not many descriptors.
	fewAdmin = 64
	// perParticipant is the memory that is set aside for each of their connections, in
	// bytes: 6 KB while it is idle, and 200 KB for one in forty that is served.
	perParticipant = 11 << 10
	// own is for listeners, the state and its backups, watched files, what is read
	// from the app besides, and the runtime.
	own = 64
)

// Shares are how many connections there may be.
type Shares struct {
	// Participants is how many connections of participants are served at once. For
	// each there is a descriptor for a connection to the app; for one in eight, there
	// is one for a connection that is refused.
	Participants int
	// Admin is how many connections of operators there may be.
	Admin int
}

// Limit returns how many descriptors the process may have. The Go runtime has
// raised the soft limit to the hard one.
func Limit() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 1024 // what is usual
	}
	return int(min(limit.Cur, 1<<30))
}

// Divide divides limit descriptors, for a process that may take memory bytes. Where there
// are few, participants get three of eight, and all others get less than they may need at
// the most.
func Divide(limit int, memory int64, targets map[string]config.Target) Shares {
	admin := max(min(limit/8, fewAdmin), min(limit/16, maxAdmin), minAdmin)
	reserved := own + admin
	for _, target := range targets {
		reserved += target.Concurrency
	}
	reserved = min(reserved, limit*5/8)
	most := min(memory/perParticipant, MaxParticipants)
	return Shares{Participants: max(min((limit-reserved)*8/17, int(most)), 1), Admin: admin}
}
