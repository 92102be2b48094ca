package config

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/sidehook/sidehook/rules/strictyaml"
)

// Summary describes in a few lines what the configuration does: where participants
// connect, which rules send what, and where to. It shows no secret, no header value
// and no more of a URL than its host.
func (c *Config) Summary() string {
	var b strings.Builder
	fmt.Fprintf(&b, "participants  %s -> %s (profile %s)%s\n", c.Listen, c.App, c.Profile, c.AppTLS.warning())
	if c.ResponseTimeout > 0 {
		fmt.Fprintf(&b, "timeout       504 when the app does not respond within %s\n", c.ResponseTimeout)
	}
	fmt.Fprintf(&b, "forwarded     %s, %s\n", c.Forwarded, c.trust())
	fmt.Fprintf(&b, "admin         %s (deliveries %s)\n", c.Admin, c.adminAccess())
	fmt.Fprintf(&b, "state         %s (%s)\n", c.State, c.Durability)
	if c.Replicas != nil {
		fmt.Fprintf(&b, "replicas      %s\n", c.Replicas.summary())
	}
	fmt.Fprintf(&b, "limits        bodies up to %s inspected, %s of memory for all\n", c.InspectLimit, c.Limits.WatchedBodies)
	b.WriteString("\nrules\n")
	for i, rule := range c.Rules {
		fmt.Fprintf(&b, "  %s: %s\n", cmp.Or(rule.Name, strictyaml.ItemPath("rules", i)), rule.summary())
	}
	b.WriteString("\ntargets\n")
	for _, name := range slices.Sorted(maps.Keys(c.Targets)) {
		fmt.Fprintf(&b, "  %s: %s\n", name, c.Targets[name].summary())
		for _, line := range c.Targets[name].privacy() {
			fmt.Fprintf(&b, "    %s\n", line)
		}
		if !c.isUsed(name) {
			b.WriteString("    no rule sends anything here\n")
		}
	}
	return b.String()
}

// summary describes which log the replicas share, and what this one is called.
func (r *Replicas) summary() string {
	return fmt.Sprintf("%s on %s, this one is %s%s", r.App, list(r.Servers, Server.String, ", "), r.Name, r.TLS.warning())
}

func (c *Config) adminAccess() string {
	if c.AdminToken.IsZero() {
		return "from loopback only"
	}
	return "with the token, or from loopback"
}

// trust describes whose X-Forwarded-* reach the app.
func (c *Config) trust() string {
	switch {
	case c.TrustedProxies == nil && c.Forwarded != ForwardedReplace:
		return "trusting everybody: trusted_proxies is not set"
	case len(c.TrustedProxies) == 0:
		return "trusting nobody"
	}
	return "trusting " + list(c.TrustedProxies, Network.String, ", ")
}

func (c *Config) isUsed(target string) bool {
	return slices.ContainsFunc(c.Rules, func(r Rule) bool { return slices.Contains(r.To, target) })
}

// summary describes what a rule sends, and where to.
func (r *Rule) summary() string {
	parts := []string{"every event"}
	if len(r.On) > 0 {
		parts[0] = list(r.On, func(n EventName) string { return string(n) }, " and ")
	}
	if len(r.Surveys) > 0 {
		parts = append(parts, "of surveys "+list(r.Surveys, func(s string) string { return s }, ", "))
	}
	if len(r.SourcePages) > 0 {
		parts = append(parts, "that leaves page "+list(r.SourcePages, PageName.String, " or "))
	}
	if len(r.SourcePositions) > 0 {
		parts = append(parts, "that leaves position "+list(r.SourcePositions, strconv.Itoa, " or "))
	}
	if r.When != "" {
		parts = append(parts, "when "+r.When)
	}
	return strings.Join(parts, ", ") + " -> " + strings.Join(r.To, ", ")
}

// summary describes where a target is and how it gets its deliveries.
func (t Target) summary() string {
	text := fmt.Sprintf("%s, format %s, %s, retried %s, up to %d in flight", t.URL, t.Format, plural(len(t.Secret), "secret"), plural(len(t.Retry.Schedule), "time"), t.Concurrency)
	if t.Order == OrderNone {
		text += ", in no order"
	}
	if t.Rate > 0 {
		text += ", at most " + t.Rate.String()
	}
	if !t.Proxy.FromEnvironment() {
		text += ", proxy " + t.Proxy.String()
	}
	for _, secret := range t.Secret {
		if key := secret.PublicKey(); key != "" {
			text += ", verified with " + key
		}
	}
	return text + t.TLS.warning()
}

// privacy describes what a target does not see, one line per kind.
func (t Target) privacy() []string {
	var lines []string
	switch {
	case t.Only != nil && len(t.Only) == 0:
		lines = append(lines, "gets no answers")
	case t.Only != nil:
		lines = append(lines, "gets only "+list(t.Only, AnswerPart.String, ", "))
	}
	if hidden := subjects(t.Redact.Participant, t.Redact.Answers); hidden != "" {
		lines = append(lines, "does not see "+hidden)
	}
	if replaced := subjects(t.Pseudonymise.Participant, t.Pseudonymise.Answers); replaced != "" {
		lines = append(lines, "sees pseudonyms of "+replaced)
	}
	return lines
}

func subjects(participant bool, answers []AnswerPart) string {
	var texts []string
	if participant {
		texts = append(texts, "the participant")
	}
	for _, part := range answers {
		texts = append(texts, part.String())
	}
	return strings.Join(texts, ", ")
}

// String describes the answers in words.
func (p AnswerPart) String() string {
	text := "answers"
	if p.Path != "" {
		text = p.Path + " in answers"
	}
	if p.Type != "" {
		text += " of type " + p.Type
	}
	if p.Page != (PageName{}) {
		text += " to page " + p.Page.String()
	}
	return text
}

// warning returns the end of a line of the summary, empty if there is nothing to warn of.
func (t TLS) warning() string {
	if t.Verify {
		return ""
	}
	return ", CERTIFICATE NOT VERIFIED"
}

func list[T any](items []T, show func(T) string, between string) string {
	var texts []string
	for _, one := range items {
		texts = append(texts, show(one))
	}
	return strings.Join(texts, between)
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
