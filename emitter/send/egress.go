package send

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"

	"github.com/sidehook/sidehook/rules/config"
)

// refusedAddress is an address that a target does not allow.
type refusedAddress struct{ class config.AddressClass }

func (e *refusedAddress) Error() string {
	return fmt.Sprintf("refused to connect to a %s address: if that is right, add %s to allow", e.class, e.class)
}

// refusedByProxy is a proxy that does not let us through.
type refusedByProxy struct{ status int }

func (e *refusedByProxy) Error() string { return fmt.Sprintf("the proxy answered %d", e.status) }

// newDialer connects to what is allowed only. It looks at the very address that
// a socket is about to be connected to, after names were resolved, so it does
// not matter what a name leads to, or how an address is spelt.
func newDialer(allowed config.Allowed) *net.Dialer {
	guard := func(_ context.Context, _, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil {
			return &refusedAddress{config.Reserved}
		}
		if class, refused := allowed.Refuses(to.Addr()); refused {
			return &refusedAddress{class}
		}
		return nil
	}
	return &net.Dialer{Timeout: connectTimeout, ControlContext: guard}
}

// proxyFor says which proxy a request goes by.
func proxyFor(way config.Proxy) (func(*http.Request) (*url.URL, error), error) {
	switch {
	case way.FromEnvironment():
		return http.ProxyFromEnvironment, nil
	case way.Straight:
		return nil, nil
	}
	address, err := url.Parse(way.URL.Reveal())
	if err != nil { // whose text is the URL
		return nil, fmt.Errorf("could not parse the address of its proxy, %s", way)
	}
	return http.ProxyURL(address), nil
}

// onProxyAnswer keeps the status of a proxy that opens no tunnel.
func onProxyAnswer(_ context.Context, _ *url.URL, _ *http.Request, answer *http.Response) error {
	if answer.StatusCode != http.StatusOK {
		return &refusedByProxy{answer.StatusCode}
	}
	return nil
}
