package admin

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/sidehook/sidehook/emitter/deliver"
	"github.com/sidehook/sidehook/emitter/outbox"
)

// notConfigured is the state of a target that has deliveries and is not in the configuration.
const notConfigured = "not configured"

// Target is the status of a target.
type Target struct {
	Name  string `json:"name"`
	State string `json:"state"`
	// Host is the scheme and host of its URL, empty where it is not configured.
	Host string `json:"host,omitempty"`
	// Cause is why a target is disabled, Disabled since when.
	Cause    string     `json:"cause,omitempty"`
	Disabled *time.Time `json:"disabled"`
	// Until is when a target that is not up is tried again.
	Until *time.Time `json:"until"`
	// NextAttempt is when it gets the next delivery, as far as that is known.
	NextAttempt  *time.Time `json:"next_attempt"`
	FailingSince *time.Time `json:"failing_since"`
	InFlight     int        `json:"in_flight"`
	Pending      uint64     `json:"pending"`
	Dead         uint64     `json:"dead"`
	Delivered    uint64     `json:"delivered"`
	// Oldest is when the oldest pending delivery was created.
	Oldest      *time.Time `json:"oldest"`
	LastError   string     `json:"last_error,omitempty"`
	LastErrorAt *time.Time `json:"last_error_at"`
	LastSuccess *time.Time `json:"last_success"`
	// HourDelivered and HourFailed are its attempts in the last hour.
	HourDelivered int `json:"hour_delivered,omitempty"`
	HourFailed    int `json:"hour_failed,omitempty"`
}

func (a *Admin) targets(w http.ResponseWriter, r *http.Request) {
	respond(w, a.allTargets(r.Context()))
}

// targetsHere is what the replica that leads responds to others.
func (a *Admin) targetsHere(w http.ResponseWriter, _ *http.Request) { respond(w, a.targetList()) }

// allTargets returns the status of all targets. The replica that leads knows it; where
// none does, it is what this one knows.
func (a *Admin) allTargets(ctx context.Context) []Target {
	var list []Target
	if a.config.Replicas == nil || a.config.Store.Leads() || a.readFromLeader(ctx, "/targets", &list) != nil {
		list = a.targetList()
	}
	return list
}

// targetList returns the status of each configured target, and of each that has deliveries.
func (a *Admin) targetList() []Target {
	list := []Target{}
	kept, err := a.config.Store.Targets()
	for _, status := range a.config.Targets() {
		target := describeTarget(status)
		target.Host = (*a.hosts.Load())[status.Name]
		target.NextAttempt = target.Until
		if status.State == deliver.Up || status.State == deliver.Failing {
			target.NextAttempt = a.nextAttempt(status.Name)
		}
		list = append(list, target)
		delete(kept, status.Name)
	}
	if err == nil {
		for _, name := range slices.Sorted(maps.Keys(kept)) {
			if t := kept[name]; t.Pending+t.Dead+t.Delivered > 0 {
				list = append(list, Target{Name: name, State: notConfigured, Pending: t.Pending, Dead: t.Dead, Delivered: t.Delivered})
			}
		}
	}
	activity := a.config.Activity.Snapshot()
	for i := range list {
		hour := activity.Targets[list[i].Name]
		list[i].HourDelivered, list[i].HourFailed = hour.Delivered, hour.Failed
	}
	return list
}

func describeTarget(t deliver.TargetStatus) Target {
	return Target{
		Name: t.Name, State: t.State.String(), Cause: string(t.Cause), Disabled: timeOrNil(t.Disabled), Until: timeOrNil(t.Until), FailingSince: timeOrNil(t.FailingSince),
		InFlight: t.InFlight, Pending: t.Pending, Dead: t.Dead, Delivered: t.Delivered, Oldest: timeOrNil(t.Oldest),
		LastError: t.LastError, LastErrorAt: timeOrNil(t.LastErrorAt), LastSuccess: timeOrNil(t.LastSuccess),
	}
}

// nextAttempt returns when a delivery of a target is due next, nil without one.
func (a *Admin) nextAttempt(name string) *time.Time {
	now := time.Now()
	due, next, err := a.config.Store.Due(name, now, 1, nil)
	switch {
	case err != nil:
		return nil
	case len(due) > 0:
		return timeOrNil(now)
	}
	return timeOrNil(next)
}

// enable resumes the deliveries of a disabled target.
func (a *Admin) enable(w http.ResponseWriter, r *http.Request) {
	a.changeTarget(w, r, func(tx *outbox.Tx, name string) { tx.Enable(name) })
}

// disable suspends the deliveries of a target until it is enabled, also after a
// restart. They are kept.
func (a *Admin) disable(w http.ResponseWriter, r *http.Request) {
	now := time.Now()
	a.changeTarget(w, r, func(tx *outbox.Tx, name string) { tx.Disable(name, outbox.CauseOperator, "", now) })
}

func (a *Admin) changeTarget(w http.ResponseWriter, r *http.Request, change func(tx *outbox.Tx, name string)) {
	name := r.PathValue("name")
	err := a.checkConfigured(name)
	if err == nil {
		err = a.change(r.Context(), func(tx *outbox.Tx) { change(tx, name) })
	}
	if err != nil {
		refuse(w, err)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

// checkConfigured returns an error unless the configuration has a target of this name.
func (a *Admin) checkConfigured(name string) error {
	return checkTarget(name, a.configured(), "configured")
}

// checkKnown is checkConfigured for targets that have deliveries, too.
func (a *Admin) checkKnown(name string) error {
	names := a.configured()
	kept, err := a.config.Store.Targets()
	if err != nil {
		return err
	}
	for _, other := range slices.Sorted(maps.Keys(kept)) {
		if t := kept[other]; t.Pending+t.Dead+t.Delivered > 0 && !slices.Contains(names, other) {
			names = append(names, other)
		}
	}
	return checkTarget(name, names, "known")
}

func (a *Admin) configured() (names []string) {
	for _, target := range a.config.Targets() {
		names = append(names, target.Name)
	}
	return names
}

// checkTarget returns an error that lists names unless name is one of them.
func checkTarget(name string, names []string, adjective string) error {
	if slices.Contains(names, name) {
		return nil
	}
	text := fmt.Sprintf("target %q is not %s; %s targets: %s", name, adjective, adjective, strings.Join(names, ", "))
	return refusal{http.StatusNotFound, text}
}
