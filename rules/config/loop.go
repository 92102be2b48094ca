package config

import (
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/sidehook/sidehook/rules/strictyaml"
)

// checkLoops refuses addresses of the app and of targets where sidehook itself
// listens. What a name resolves to is not known here.
func (c *checker) checkLoops(listen, admin address) {
	own := map[string]address{"listen": listen, "admin": admin}
	if key := leadsTo(own, c.config.App); key != "" && c.Usable("app") {
		c.Wrong("app", "is where sidehook itself listens (%s): say where the survey app listens", key)
	}
	for _, name := range slices.Sorted(maps.Keys(c.config.Targets)) {
		path := strictyaml.KeyPath("targets", name) + ".url"
		if key := leadsTo(own, c.config.Targets[name].URL.Reveal()); key != "" && c.Usable(path) {
			c.Wrong(path, "is where sidehook itself listens (%s)", key)
		}
	}
}

// leadsTo returns the key of the address that a URL leads to, empty if it leads
// elsewhere.
func leadsTo(own map[string]address, text string) (key string) {
	to, err := url.Parse(text)
	if err != nil {
		return ""
	}
	port := to.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[to.Scheme]
	}
	for _, key := range slices.Sorted(maps.Keys(own)) {
		at := own[key]
		if at.port == port && port != "0" && isReached(at.host, to.Hostname()) {
			return key
		}
	}
	return ""
}

// isReached reports whether who connects to a host can reach what listens at another,
// which is empty for all addresses of this machine.
func isReached(listens, host string) bool {
	at, to := loopbackOf(listens), loopbackOf(host)
	switch {
	case strings.EqualFold(listens, host):
		return true
	case listens != "" && !at.IsValid(), !to.IsValid():
		return false // at most one of them is surely this machine
	}
	return !at.IsLoopback() || !to.IsLoopback() || at == to
}

// loopbackOf returns the address of loopback that a host is, an unspecified one if
// it may be any, and the zero Addr if it may be another machine.
func loopbackOf(host string) netip.Addr {
	if strings.EqualFold(host, "localhost") {
		return netip.IPv6Unspecified()
	}
	address, err := netip.ParseAddr(host)
	address = address.Unmap()
	if err != nil || !address.IsLoopback() && !address.IsUnspecified() {
		return netip.Addr{}
	}
	return address
}
