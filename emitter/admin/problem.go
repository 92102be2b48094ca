package admin

import (
	"fmt"
	"time"

	"github.com/sidehook/sidehook/emitter/deliver"
	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/rules/reload"
)

const (
	// lateAfter is how old a pending delivery may become before that is a problem.
	lateAfter = 10 * time.Minute
	// nearlyFull is the share of retention.size past which the state is called full.
	nearlyFull = 0.9
)

// Severity is how grave a Problem is.
type Severity string

// The severities.
const (
	// Severe: something is lost, or will be.
	Severe Severity = "error"
	// Warning: nothing is lost yet.
	Warning Severity = "warning"
)

// Problem is something that is wrong, and what an operator can do about it.
type Problem struct {
	Severity Severity `json:"severity"`
	Text     string   `json:"text"`
	Action   string   `json:"action"`
	// Target is the one that has the problem, empty if none has.
	Target string `json:"target,omitempty"`
}

// problems returns what is wrong with all of it, and then with each target.
func problems(s *Status, reloaded reload.Outcome, now time.Time) []Problem {
	found := []Problem{}
	add := func(severity Severity, action, format string, args ...any) {
		found = append(found, Problem{Severity: severity, Text: fmt.Sprintf(format, args...), Action: action})
	}
	if !s.App.Ready {
		add(Severe, "Start the app, or correct app in the configuration.", "Participants are not served: %s.", s.App.Reason)
	}
	isSpilling := s.Replicas != nil && !s.Replicas.Connected // so that everything is recorded elsewhere
	if !s.Store.Open && !isSpilling {
		add(Severe, "Free the disk or correct its permissions: sidehook tries again by itself.",
			"Nothing is recorded, since the state cannot be written: %s.", s.Store.Reason)
	}
	if s.Store.Lost > 0 {
		add(Severe, "Look into the log for the cause. What was lost cannot be recovered.",
			"%d observations or deliveries were lost since the start.", s.Store.Lost)
	}
	if s.Store.LimitBytes > 0 && float64(s.Store.UsedBytes) > nearlyFull*float64(s.Store.LimitBytes) {
		add(Warning, "Raise retention.size, or lower the other retention times.",
			"The state is %d %% full.", s.Store.UsedBytes*100/s.Store.LimitBytes)
	}
	if reloaded.Error != "" {
		add(Warning, "Correct the configuration: it is read again when its file changes.",
			"The configuration was not reloaded, and the one before is in force: %s", reloaded.Error)
	}
	if len(reloaded.Restart) > 0 {
		add(Warning, "Restart sidehook when it suits you.", "Changed keys take effect only after a restart: %s.", joined(reloaded.Restart))
	}
	if s.Replicas != nil {
		found = append(found, replicaProblems(s.Replicas)...)
	}
	for i := range s.Targets {
		found = append(found, targetProblems(&s.Targets[i], now)...)
	}
	return found
}

// replicaProblems returns what is wrong with the replicas.
func replicaProblems(all *ReplicaList) (found []Problem) {
	add := func(severity Severity, action, format string, args ...any) {
		found = append(found, Problem{Severity: severity, Text: fmt.Sprintf(format, args...), Action: action})
	}
	switch {
	case !all.Connected:
		add(Severe, "See whether the servers in replicas run and can be reached from here. Participants notice nothing.",
			"The servers of the replicas cannot be reached: what participants do is kept on this replica's disk, and webhooks wait.")
	case all.Leader == "":
		add(Severe, "One takes over some seconds after a leader is gone. If none does, see why in the replicas' reasons and logs.",
			"No replica leads: webhooks wait.")
	}
	for i := range all.Replicas {
		r := &all.Replicas[i]
		if r.Role == outbox.RoleRefused.String() {
			add(Severe, "Do what the reason says. Participants are served meanwhile.", "Replica %s does not follow%s.", r.Name, because(r.Reason))
		}
		if r.SpillWaiting > 0 {
			add(Warning, "Keep its disk: what waits there is nowhere else. It is sent once the servers can be reached.",
				"%d observations wait on the disk of replica %s.", r.SpillWaiting, r.Name)
		}
		if r.Lost > 0 {
			add(Severe, "Look into its log for the cause. What was lost cannot be recovered.", "%d observations were lost at replica %s since its start.", r.Lost, r.Name)
		}
	}
	return found
}

// targetProblems returns what is wrong with a target.
func targetProblems(t *Target, now time.Time) (found []Problem) {
	add := func(severity Severity, action, format string, args ...any) {
		found = append(found, Problem{Severity: severity, Text: fmt.Sprintf(format, args...), Action: action, Target: t.Name})
	}
	switch t.State {
	case deliver.Down.String():
		add(Warning, "Check the receiver. Its deliveries wait and are retried.", "Target %s is down%s.", t.Name, because(t.LastError))
	case deliver.Failing.String():
		add(Warning, "Check the receiver. What failed is retried.", "The last attempt to send to target %s failed%s.", t.Name, because(t.LastError))
	case deliver.Held.String():
		add(Warning, "Nothing to do: it goes on by itself.", "Target %s asked for a pause.", t.Name)
	case deliver.Disabled.String():
		add(Severe, "Enable it once its receiver takes webhooks again; its deliveries are kept.", "Target %s is disabled%s.", t.Name, because(t.Cause))
	case notConfigured:
		if t.Pending+t.Dead > 0 {
			add(Warning, "Redeliver them to another target, or discard them.", "%d deliveries are kept for %s, which is no longer configured.", t.Pending+t.Dead, t.Name)
			return found
		}
	}
	if t.Dead > 0 {
		add(Severe, "See why, mend the receiver, and redeliver them.", "%d deliveries to %s are dead: their last attempt failed.", t.Dead, t.Name)
	}
	if t.Oldest != nil && now.Sub(*t.Oldest) > lateAfter && t.State == deliver.Up.String() {
		add(Warning, "Check the rate and concurrency of the target.", "A delivery to %s has been pending since %s.", t.Name, t.Oldest.Format(time.RFC3339))
	}
	return found
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + reason
}
