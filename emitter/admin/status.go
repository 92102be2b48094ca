package admin

import (
	"context"
	"net/http"
	"time"

	"github.com/sidehook/sidehook/emitter/live"
)

// Status is how a sidehook is doing.
type Status struct {
	Version string    `json:"version"`
	Started time.Time `json:"started"`
	// Problems are what is wrong right now, the gravest first.
	Problems []Problem     `json:"problems"`
	App      AppStatus     `json:"app"`
	Store    StoreStatus   `json:"store"`
	Targets  []Target      `json:"targets"`
	Activity live.Snapshot `json:"activity"`
	// Replicas are those that this sidehook is one of, nil for a single one.
	Replicas *ReplicaList `json:"replicas,omitempty"`
}

// AppStatus is whether participants can be served.
type AppStatus struct {
	Ready bool `json:"ready"`
	// Reason is why not.
	Reason string `json:"reason,omitempty"`
}

// StoreStatus is how the state directory is doing.
type StoreStatus struct {
	Open bool `json:"open"`
	// Reason is why it is not.
	Reason string `json:"reason,omitempty"`
	// UsedBytes of LimitBytes (retention.size) are in use; FileBytes is the size of the file.
	UsedBytes  int64 `json:"used_bytes"`
	FileBytes  int64 `json:"file_bytes"`
	LimitBytes int64 `json:"limit_bytes"`
	// Waiting changes are not on disk yet; Lost ones never will be.
	Waiting int    `json:"waiting"`
	Lost    uint64 `json:"lost"`
}

func (a *Admin) status(w http.ResponseWriter, r *http.Request) {
	s := Status{
		Version: a.config.Version, Started: a.started.UTC(), Targets: a.allTargets(r.Context()),
		App: a.appStatus(r.Context()), Store: a.storeStatus(), Activity: a.config.Activity.Snapshot(),
		Replicas: a.replicaList(time.Now()),
	}
	s.Problems = problems(&s, a.config.Reloaded(), time.Now())
	respond(w, s)
}

func (a *Admin) appStatus(ctx context.Context) AppStatus {
	if err := a.notReady(ctx); err != nil {
		return AppStatus{Reason: err.Error()}
	}
	return AppStatus{Ready: true}
}

func (a *Admin) storeStatus() StoreStatus {
	isOpen, reason := a.config.Store.State()
	stats := a.config.Store.Stats()
	return StoreStatus{
		Open: isOpen, Reason: reason, UsedBytes: stats.UsedBytes, FileBytes: stats.FileBytes,
		LimitBytes: int64(a.current.Load().Retention.Size), Waiting: stats.Waiting, Lost: stats.Lost,
	}
}
