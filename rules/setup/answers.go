package setup

import (
	"fmt"
	"strings"

	"github.com/sidehook/sidehook/rules/strictyaml"
)

// secretName is the file of the secret, in the folder of the configuration.
const secretName = "receiver.secret"

// answers are what a configuration is made of.
type answers struct {
	app, profile, to, state string
	// on are the events.
	on []string
}

// written is the configuration. It has what must be said, and what is worth knowing.
const written = `# yaml-language-server: $schema=https://raw.githubusercontent.com/sidehook/sidehook/main/rules/schema/config.json
#
# Every key and its default: config.example.yaml in the repository of sidehook.

app: %s
profile: %s

# Where participants connect, instead of to the app.
listen: %s

# Health, metrics and the console. Other machines see only health and metrics.
admin: :9090

# Answers and webhooks that were not delivered yet: keep it on a disk of its own.
state: %s

targets:
  receiver:
    url: %s
    secret: file:%s
    format: standard        # or decsys, the body of Decsys' own webhooks, or cloudevents

rules:
  - to: [receiver]
    on: [%s]
`

// yaml writes the configuration.
func (a answers) yaml() []byte {
	listen := ":8080"
	if strings.HasSuffix(strings.TrimSuffix(a.app, "/"), ":8080") {
		listen = ":8081" // the app has the other one
	}
	on := make([]string, 0, len(a.on))
	for _, event := range a.on {
		on = append(on, strictyaml.WriteText(event))
	}
	text := strictyaml.WriteText
	return fmt.Appendf(nil, written, text(a.app), text(a.profile), listen, text(a.state), text(a.to), secretName, strings.Join(on, ", "))
}
