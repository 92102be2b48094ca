package send

import (
	"fmt"
	"net/http"
	"os"
	"sync"
	"time"
)

const (
	connectTimeout   = 3 * time.Second
	handshakeTimeout = 5 * time.Second
	idleTimeout      = 90 * time.Second
	// pingAfter and pingTimeout find out an HTTP/2 connection that is silently
	// dead, which otherwise each new request would be sent into.
	pingAfter   = 15 * time.Second
	pingTimeout = 5 * time.Second
	// maxResponseHeader bounds what a target's header can take of our memory, interim responses included.
	maxResponseHeader = 64 << 10
)

// connections are those of one target, which share nothing with those of
// another. How many there are is bounded by who sends. When the file of the
// authorities to trust changes, new ones take the place of the old ones.
type connections struct {
	options  SenderOptions
	complain *complaints

	mu      sync.Mutex
	current *http.Transport
	// ca is the file of authorities that current trusts, nil without one.
	ca os.FileInfo
}

// newConnections reads the target's certificates; it connects to nothing.
func newConnections(o SenderOptions) (*connections, error) {
	o.Logger = o.Logger.With("target", o.Name)
	c := &connections{options: o, complain: newComplaints(o.Logger, time.Now)}
	if err := c.renew(); err != nil {
		return nil, err
	}
	return c, nil
}

// transport is what to send by. A changed file that cannot be used (half
// written, no right to read it) leaves what was there before in use.
func (c *connections) transport() *http.Transport {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ca == nil {
		return c.current
	}
	if err := c.renewIfChanged(); err != nil {
		c.complain.say("could not use the changed tls.ca; the one from before stays in use", "error", err)
	}
	return c.current
}

func (c *connections) renewIfChanged() error {
	ca, err := os.Stat(c.options.Target.TLS.CA)
	if err != nil || sameFile(ca, c.ca) {
		return err
	}
	old := c.current
	if err := c.renew(); err != nil {
		return err
	}
	old.CloseIdleConnections()
	return nil
}

// renew makes a transport of the files as they are now.
func (c *connections) renew() (err error) {
	target := c.options.Target
	var ca os.FileInfo
	if target.TLS.CA != "" {
		if ca, err = os.Stat(target.TLS.CA); err != nil {
			return fmt.Errorf("could not read tls.ca: %w", err)
		}
	}
	config, err := ClientTLS(target.TLS, c.options.Logger)
	if err != nil {
		return err
	}
	proxy, err := proxyFor(target.Proxy)
	if err != nil {
		return err
	}
	c.ca, c.current = ca, &http.Transport{
		Proxy:                  proxy,
		OnProxyConnectResponse: onProxyAnswer,
		DialContext:            newDialer(target.Allow).DialContext,
		TLSClientConfig:        config,
		TLSHandshakeTimeout:    handshakeTimeout,
		ForceAttemptHTTP2:      true,
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingTimeout},
		MaxIdleConns:           max(target.Concurrency, 1),
		MaxIdleConnsPerHost:    max(target.Concurrency, 1),
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: maxResponseHeader,
		// What asks for no compression gets no bomb.
		DisableCompression: true,
	}
	return nil
}

// isRelayed tells whether a proxy may have answered a request by itself: it
// reads what is not encrypted.
func (c *connections) isRelayed(request *http.Request) bool {
	c.mu.Lock()
	proxy := c.current.Proxy
	c.mu.Unlock()
	if request.URL.Scheme != "http" || proxy == nil {
		return false
	}
	address, err := proxy(request)
	return err == nil && address != nil
}

// close lets go of idle connections.
func (c *connections) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.current.CloseIdleConnections()
}
