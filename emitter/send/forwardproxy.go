package send

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/sidehook/sidehook/rules/config"
)

// refusedByProxy is the response of a forward proxy that opened no tunnel.
type refusedByProxy struct{ status int }

func (e *refusedByProxy) Error() string {
	return fmt.Sprintf("the proxy responded with status %d", e.status)
}

// proxyFunc returns the Proxy function of a transport; nil connects directly.
func proxyFunc(proxy config.Proxy) (func(*http.Request) (*url.URL, error), error) {
	switch {
	case proxy.FromEnvironment():
		return http.ProxyFromEnvironment, nil
	case proxy.Straight:
		return nil, nil
	}
	address, err := url.Parse(proxy.URL.Reveal())
	if err != nil { // the error's text would show the URL
		return nil, fmt.Errorf("cannot parse the address of its proxy, %s", proxy)
	}
	return http.ProxyURL(address), nil
}

// onConnectResponse keeps the status of a proxy that opened no tunnel.
func onConnectResponse(_ context.Context, _ *url.URL, _ *http.Request, response *http.Response) error {
	if response.StatusCode != http.StatusOK {
		return &refusedByProxy{response.StatusCode}
	}
	return nil
}
