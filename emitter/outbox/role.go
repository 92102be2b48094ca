package outbox

import (
	"errors"
	"time"
)

// Role is what a replica does about the log. Only one that leads writes.
//
//	              ┌──► loading ──┐
//	              │              ▼
//	behind ──► following ◄──► leading
//	  └──────────┬───┘
//	             ▼
//	          refused
type Role int

// The roles. RoleAlone is that of a store without a Log.
const (
	RoleAlone Role = iota
	// RoleBehind: it reads what the log has and its file has not.
	RoleBehind
	// RoleFollowing: its file has what the log has, as far as it knows.
	RoleFollowing
	// RoleLeading: it writes.
	RoleLeading
	// RoleLoading: its file is being made from a snapshot, or is the first of a new log.
	RoleLoading
	// RoleRefused: its file and the log do not go together, or it is too old for the log.
	RoleRefused
)

// String returns the role's name.
func (r Role) String() string {
	switch r {
	case RoleAlone:
		return "alone"
	case RoleBehind:
		return "behind"
	case RoleFollowing:
		return "following"
	case RoleLeading:
		return "leading"
	case RoleLoading:
		return "loading"
	case RoleRefused:
		return "refused"
	}
	return "unknown"
}

// Replica is what a store knows about itself as one of several.
type Replica struct {
	Role Role
	// Since is when it took this role.
	Since time.Time
	// Incarnation is the name of this run of the replica, Leader that of the one that
	// wrote last; empty if unknown.
	Incarnation, Leader string
	// Applied is the index of the last entry that it has, Last that of the last one that
	// it knows of.
	Applied, Last uint64
	// Heard is when an entry was read or written last; zero if none was.
	Heard time.Time
	// Reason says why it is refused, or what keeps it from doing what its role is; empty
	// if nothing does.
	Reason string
}

// Replica returns what the store knows about itself as one of several.
func (s *Store) Replica() Replica {
	r := s.writer.replication
	if r == nil {
		return Replica{Role: RoleAlone}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.shown
}

// show shows what the replica does, and logs another role. The writer calls it.
func (r *replication) show(role Role, reason error) {
	before, next := r.tell(role, reason)
	switch {
	case role != before.Role, next.Reason != before.Reason && !errors.Is(reason, errLog) && next.Reason != "":
		r.logRole(before, next)
	case errors.Is(reason, errLog) && next.Reason != before.Reason: // the cause may be another each time
		r.logs.Do(func() { r.logRole(before, next) })
	}
}

// tell shows what the replica does to whoever asks.
func (r *replication) tell(role Role, reason error) (before, next Replica) {
	number, last := r.last, r.at.index
	if r.incoming != nil {
		number = max(number, r.incoming.read())
	}
	if number > r.at.number {
		last += number - r.at.number
	}
	next = Replica{Role: role, Incarnation: r.incarnation, Leader: r.leader, Applied: r.at.index, Last: last, Heard: r.heard}
	if reason != nil {
		next.Reason = reason.Error()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	before = r.shown
	if next.Since = before.Since; role != before.Role {
		next.Since = time.Now()
	}
	r.shown = next
	return before, next
}

func (r *replication) logRole(before, next Replica) {
	level := r.logger.Info
	isWaiting := next.Role == RoleLoading
	if next.Role == RoleRefused || next.Reason != "" && !isWaiting {
		level = r.logger.Error
	}
	what := "this replica has another role"
	if next.Role == before.Role {
		what = "this replica has its role for another reason"
	}
	level(what, "role", next.Role, "before", before.Role, "applied", next.Applied, "last", next.Last, "reason", next.Reason)
}
