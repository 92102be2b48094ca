package config

import (
	"errors"
	"net/url"
)

// Words for no particular proxy.
const (
	proxyOfEnvironment = "environment"
	noProxy            = "none"
)

// errProxy shows nothing of the proxy's URL, which may contain credentials.
var errProxy = errors.New("must be environment, none, or the address of a proxy, such as http://proxy.example.org:3128 or socks5://127.0.0.1:1080 (the value is not shown)")

// Proxy is the way out to a target. The zero value takes the proxy from the
// environment (HTTPS_PROXY, HTTP_PROXY, NO_PROXY).
type Proxy struct {
	// Straight means no proxy.
	Straight bool
	// URL is that of the target's own proxy: http, https, socks5 or socks5h.
	URL URL
}

// FromEnvironment reports whether the environment decides on the proxy.
func (p Proxy) FromEnvironment() bool { return !p.Straight && p.URL.IsZero() }

// UnmarshalText reads environment, none or the URL of a proxy.
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

// String returns environment, none, or scheme and host of the proxy.
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
