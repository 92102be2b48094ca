package config

import (
	"errors"
	"net/url"
)

// The two words that stand for no particular proxy.
const (
	proxyOfEnvironment = "environment"
	noProxy            = "none"
)

// errProxy shows nothing of a proxy's address, as it may hold credentials.
var errProxy = errors.New("must be environment, none, or the address of a proxy, such as http://proxy.example.org:3128 or socks5://127.0.0.1:1080 (yours is not shown)")

// Proxy is the way out to a target: by HTTP_PROXY, HTTPS_PROXY and NO_PROXY of
// the environment, which is its zero value, straight, or by a proxy of its own.
type Proxy struct {
	// Straight means no proxy at all.
	Straight bool
	// URL is the address of the target's own proxy: http, https, socks5 or socks5h.
	URL URL
}

// FromEnvironment tells whether the environment says which proxy to use.
func (p Proxy) FromEnvironment() bool { return !p.Straight && p.URL.IsZero() }

// UnmarshalText takes environment, none or the address of a proxy.
func (p *Proxy) UnmarshalText(text []byte) error {
	switch string(text) {
	case proxyOfEnvironment:
		*p = Proxy{}
		return nil
	case noProxy:
		*p = Proxy{Straight: true}
		return nil
	}
	parsed, err := url.Parse(string(text))
	if err != nil || !isProxyScheme(parsed.Scheme) || parsed.Hostname() == "" || !validPort(parsed.Port()) {
		return errProxy
	}
	if (parsed.Path != "" && parsed.Path != "/") || parsed.RawQuery != "" || parsed.Fragment != "" {
		return errProxy
	}
	*p = Proxy{URL: urlOf(parsed)}
	return nil
}

// String names the proxy without anything that could be a credential.
func (p Proxy) String() string {
	switch {
	case p.Straight:
		return noProxy
	case p.URL.IsZero():
		return proxyOfEnvironment
	default:
		return p.URL.String()
	}
}

func isProxyScheme(scheme string) bool {
	return scheme == "http" || scheme == "https" || scheme == "socks5" || scheme == "socks5h"
}
