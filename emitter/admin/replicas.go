package admin

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/emitter/replica"
)

const (
	// silentAfter is after how long a replica that is not heard counts as silent: its
	// role is what it was, and another one may lead.
	silentAfter = 2 * time.Second
	// seedTimeout bounds the beginning of a new log.
	seedTimeout = 2 * time.Minute
)

// Roles of a replica beside those of outbox.
const (
	// RoleSilent: it was heard in the last 30 seconds, and is not now.
	RoleSilent = "silent"
	// RoleUnknown: it does not say, or not so that this release understands it.
	RoleUnknown = "unknown"
)

var errSingle = refusal{http.StatusNotFound, "this sidehook is a single one: the key replicas of the configuration joins several in front of one app"}

// Replicas is what an Admin needs of the replicas that its sidehook is one of.
type Replicas struct {
	// App is the name of the log, and Name that of this replica.
	App, Name string
	Link      Link
	// Present returns all replicas that were heard lately; the Extra of each is made by
	// its Hello.
	Present func() []replica.Member
	// Seed begins a new log with what this replica has.
	Seed func(context.Context) error
}

// ReplicaList is which replicas there are.
type ReplicaList struct {
	App string `json:"app"`
	// Name is that of the replica which was asked; Connected reports whether it reaches the servers.
	Name      string `json:"name"`
	Connected bool   `json:"connected"`
	// Leader is the name of the replica that leads, empty while none is known to.
	Leader string `json:"leader"`
	// Replicas are those that were heard in the last 30 seconds, by name.
	Replicas []Replica `json:"replicas"`
}

// Replica is one of several sidehooks in front of an app, as it told last.
type Replica struct {
	Name string `json:"name"`
	// Incarnation is the name of its process.
	Incarnation string     `json:"incarnation"`
	Version     string     `json:"version,omitempty"`
	Role        string     `json:"role"`
	Since       *time.Time `json:"since"`
	// Reason is what keeps it from doing what it should.
	Reason string `json:"reason,omitempty"`
	// Applied is the index of the last entry of the log that it has, Behind how many it
	// knows of and has not.
	Applied uint64 `json:"applied"`
	Behind  uint64 `json:"behind"`
	// SpillWaiting observations, of SpillBytes, wait on its disk for the servers; Lost
	// ones are nowhere.
	SpillWaiting int    `json:"spill_waiting"`
	SpillBytes   int64  `json:"spill_bytes"`
	Lost         uint64 `json:"lost"`
	// Heard is when it told this.
	Heard time.Time `json:"heard"`
}

func (a *Admin) replicas(w http.ResponseWriter, _ *http.Request) {
	if a.config.Replicas == nil {
		refuse(w, errSingle)
		return
	}
	respond(w, a.replicaList(time.Now()))
}

// replicaList returns which replicas there are, nil for a single sidehook.
func (a *Admin) replicaList(now time.Time) *ReplicaList {
	all := a.config.Replicas
	if all == nil {
		return nil
	}
	list := &ReplicaList{App: all.App, Name: all.Name, Connected: all.Link.IsConnected(), Replicas: []Replica{}}
	for _, member := range all.Present() {
		one := describeReplica(&member, now)
		if one.Role == outbox.RoleLeading.String() && (list.Leader == "" || member.IsSelf && a.config.Store.Leads()) {
			list.Leader = one.Name
		}
		list.Replicas = append(list.Replicas, one)
	}
	return list
}

func describeReplica(m *replica.Member, now time.Time) Replica {
	one := Replica{Name: m.Name, Incarnation: m.Incarnation, Role: RoleUnknown, Heard: now.Add(-m.Silent).UTC()}
	if told, err := parseHello(m.Extra); err == nil {
		one.Version, one.Reason, one.Role = told.Version, told.Reason, cmp.Or(told.Role, RoleUnknown)
		one.Applied, one.Behind = told.Applied, told.Behind
		one.SpillWaiting, one.SpillBytes, one.Lost = told.SpillWaiting, told.SpillBytes, told.Lost
		one.Since = timeOrNil(told.Since)
	}
	if m.Silent > silentAfter {
		one.Role = RoleSilent
	}
	return one
}

// seed begins a new log with what this replica has.
func (a *Admin) seed(w http.ResponseWriter, r *http.Request) {
	if a.config.Replicas == nil {
		refuse(w, errSingle)
		return
	}
	ctx, cancel := outlast(w, r, seedTimeout)
	defer cancel()
	err := a.config.Replicas.Seed(ctx)
	a.config.Logger.Warn("an operator had this replica begin a new log", "complete", err == nil)
	switch {
	case errors.Is(err, outbox.ErrAlive):
		refuse(w, refusal{http.StatusConflict, err.Error()})
	case err != nil:
		refuse(w, refusal{http.StatusServiceUnavailable, "the new log was not begun, which can be tried again: " + err.Error()})
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}
