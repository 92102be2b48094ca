package admin

import (
	"net/http"
	"strings"
	"time"
)

// Configuration is what is in force. It shows no secrets.
type Configuration struct {
	// File is the configuration's, empty if there is none.
	File    string    `json:"file"`
	Summary string    `json:"summary"`
	Started time.Time `json:"started"`
	Version string    `json:"version"`
	// Warnings are what sidehook check warns of.
	Warnings []string `json:"warnings"`
	Reload   *Reload  `json:"reload"`
}

// Reload is the last attempt to reload a configuration.
type Reload struct {
	At time.Time `json:"at"`
	// Trigger is what caused it.
	Trigger string `json:"trigger"`
	// Changes took effect; Restart are keys whose change takes effect after a restart.
	Changes []string `json:"changes"`
	Restart []string `json:"restart"`
	// Error is why nothing has changed.
	Error string `json:"error,omitempty"`
}

func (a *Admin) configuration(w http.ResponseWriter, _ *http.Request) {
	current := a.current.Load()
	shown := Configuration{
		File: a.config.File, Summary: current.Summary(), Started: a.started.UTC(), Version: a.config.Version,
		Warnings: []string{},
	}
	if a.config.Warnings != nil {
		shown.Warnings = append(shown.Warnings, a.config.Warnings(current)...)
	}
	if last := a.config.Reloaded(); !last.At.IsZero() {
		shown.Reload = &Reload{
			At: last.At.UTC(), Trigger: last.Trigger, Error: last.Error,
			Changes: append([]string{}, last.Changes...), Restart: append([]string{}, last.Restart...),
		}
	}
	respond(w, shown)
}

func joined(words []string) string { return strings.Join(words, ", ") }
