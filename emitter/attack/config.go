package main

import (
	"fmt"
	"os"
	"strings"
)

const (
	// largeStore is how many times as large as in a small run a store is that is to be
	// filled, since honest participants alone need more than their part of it.
	largeStore = 6
	// usualSize is retention.size in MiB.
	usualSize = 256
	// usualBreaker reopens soon enough for a short run.
	usualBreaker = "{failures: 5, open: 100ms, max_open: 500ms}"
	// neverOpen is a breaker that never opens.
	neverOpen = "{failures: 1000000}"
)

// usualRetry outlasts a run.
var usualRetry = "{schedule: [" + strings.Repeat("500ms, ", 49) + "500ms], jitter: 0}"

// configure writes the configuration file.
func (b *battle) configure(url string) error {
	s := b.side
	var text strings.Builder
	fmt.Fprintf(&text, "listen: %s\nadmin: %s\napp: %s\nprofile: %s\nstate: %s\nretention: {size: %dMiB}\ntargets:\n",
		s.participants, s.admin, url, b.app.profile(), s.statePath(), b.sizeLimit()>>20)
	var names []string
	target := func(name, url, breaker, retry string) {
		fmt.Fprintf(&text, "  %s: {url: '%s', secret: env:ATTACK_SECRET, format: standard, breaker: %s, retry: %s}\n", name, url, breaker, retry)
		names = append(names, name)
	}
	target("lake", b.lake.URL(), or(s.setup.breaker, usualBreaker), or(s.setup.retry, usualRetry))
	switch {
	case s.setup.crmRefuses:
		target("crm", b.crm.URL(), neverOpen, "{schedule: []}")
	case s.setup.hasCRM:
		target("crm", b.crm.URL(), usualBreaker, usualRetry)
	}
	if s.setup.hasHung {
		target("hung", b.hung.URL(), usualBreaker, usualRetry)
	}
	fmt.Fprintf(&text, "rules:\n  - to: [%s]\n", strings.Join(names, ", "))
	return os.WriteFile(s.configPath(), []byte(text.String()), 0o600)
}

// sizeLimit is retention.size in bytes.
func (b *battle) sizeLimit() int64 {
	size := b.side.setup.size
	if size == 0 {
		size = usualSize
	}
	if b.isLarge && b.side.setup.size > 0 {
		size *= largeStore
	}
	return size << 20
}

func or(text, usual string) string {
	if text == "" {
		return usual
	}
	return text
}
