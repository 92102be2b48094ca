package demo

import (
	"encoding/json"
	"fmt"
	"strings"

	sidehookconfig "github.com/sidehook/sidehook/rules/config"
	"github.com/sidehook/sidehook/rules/strictyaml"
)

// nextStep is printed after the first completion.
const nextStep = "That was a completion. Now in front of your app: sidehook init"

// ownTarget is what the flags say about webhooks and a receiver of one's own.
type ownTarget struct {
	url, format string
	// secret is a reference, empty for a secret that is made.
	secret string
}

// signingSecret returns the secret of both targets.
func (t ownTarget) signingSecret() (sidehookconfig.Secret, error) {
	if t.secret == "" {
		return sidehookconfig.GenerateSecret(), nil
	}
	secret, err := sidehookconfig.ReadSecret(t.secret)
	if err != nil {
		return secret, fmt.Errorf("cannot use --secret: %w", err)
	}
	return secret, nil
}

// configuration is what the demo runs with. It is printed, as a first example.
type configuration struct {
	participants, admin, app, state, receiver string
	to                                        ownTarget
}

// yaml writes the configuration, of the URL of one's own receiver perhaps only what
// is no credential.
func (c configuration) yaml(hides bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "listen: %s\nadmin: %s\napp: %s\nstate: %s\ntargets:\n", c.participants, c.admin, c.app, strictyaml.WriteText(c.state))
	c.target(&b, "receiver", c.receiver)
	names := "receiver"
	if c.to.url != "" {
		address := c.to.url
		if parsed, err := sidehookconfig.ParseURL(address); err == nil && hides {
			address = parsed.String()
		}
		c.target(&b, "yours", address)
		names += ", yours"
	}
	fmt.Fprintf(&b, "rules:\n  - to: [%s]\n", names)
	return b.String()
}

func (c configuration) target(b *strings.Builder, name, address string) {
	secret := "env:DEMO_SECRET"
	if c.to.secret != "" {
		secret = c.to.secret
	}
	fmt.Fprintf(b, "  %s:\n    url: %s\n    secret: %s\n    format: %s\n", name, strictyaml.WriteText(address), strictyaml.WriteText(secret), strictyaml.WriteText(c.to.format))
}

// isCompletion reports whether a webhook says that a participant has completed, in
// the formats that have a word for it.
func isCompletion(body []byte) bool {
	var event struct {
		Type string `json:"type"`
	}
	return json.Unmarshal(body, &event) == nil && strings.HasSuffix(event.Type, "survey.completed")
}
