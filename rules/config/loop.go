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
		isSameHost := strings.EqualFold(at.host, to.Hostname()) || isLocal(to.Hostname()) && (at.host == "" || isLocal(at.host))
		if at.port == port && port != "0" && isSameHost {
			return key
		}
	}
	return ""
}

// isLocal reports whether a host is this one whatever its addresses are.
func isLocal(host string) bool {
	address, err := netip.ParseAddr(host)
	if err != nil {
		return strings.EqualFold(host, "localhost")
	}
	return address.IsLoopback() || address.IsUnspecified()
}
