package send

import (
	"fmt"
	"net/http"
	"os"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	// maxAge is how long a connection gets requests. A new one resolves the target's
	// name again, which may lead to another host by then.
	maxAge           = time.Minute
	handshakeTimeout = 5 * time.Second
	idleTimeout      = 90 * time.Second
	// pingAfter and pingTimeout detect an HTTP/2 connection that is silently
	// dead; each new request would otherwise be sent into it.
	pingAfter   = 15 * time.Second
	pingTimeout = 5 * time.Second
	// maxResponseHeader bounds the memory that a response's header can take, in
	// bytes, interim responses included.
	maxResponseHeader = 64 << 10
	// logInterval is how often the same failure is logged.
	logInterval = time.Minute
)

// connections are those to one target, which are shared with no other. Their
// number is bounded by the target's concurrency. After maxAge, and when the file with
// the trusted authorities changes, new connections replace the old ones, which end once
// they have been idle for idleTimeout. Nothing closes idle connections before: net/http has put
// back a connection before it hands over a response without a body, and closing it then
// would lose the response.
type connections struct {
	options    Options
	warnReload rate.Sometimes

	mu      sync.Mutex
	current *http.Transport
	// made is when current was.
	made time.Time
	// ca describes the file with the authorities that current trusts, nil without one.
	ca os.FileInfo
}

// newConnections reads the target's certificates; it opens no connection.
func newConnections(o Options) (*connections, error) {
	o.Logger = o.Logger.With("target", o.Name)
	c := &connections{options: o, warnReload: rate.Sometimes{Interval: logInterval}}
	if err := c.renew(); err != nil {
		return nil, err
	}
	return c, nil
}

// transport returns the transport to send with. If a changed tls.ca cannot be used
// (half written, no permission), the previous one stays in use.
func (c *connections) transport() *http.Transport {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.made) > maxAge {
		c.current, c.made = c.current.Clone(), time.Now()
	}
	if c.ca == nil {
		return c.current
	}
	if err := c.renewIfChanged(); err != nil {
		c.warnReload.Do(func() {
			c.options.Logger.Warn("cannot reload tls.ca, keeping the previous one", "error", err)
		})
	}
	return c.current
}

func (c *connections) renewIfChanged() error {
	ca, err := os.Stat(c.options.Target.TLS.CA)
	if err != nil || sameFile(ca, c.ca) {
		return err
	}
	return c.renew()
}

// unshared returns a transport that makes a new connection for each request.
func (c *connections) unshared() *http.Transport {
	transport := c.transport().Clone()
	transport.DisableKeepAlives = true
	return transport
}

// renew makes a transport from the files as they are now.
func (c *connections) renew() (err error) {
	target := c.options.Target
	var ca os.FileInfo
	if target.TLS.CA != "" {
		if ca, err = os.Stat(target.TLS.CA); err != nil {
			return fmt.Errorf("cannot read tls.ca: %w", err)
		}
	}
	tls, err := ClientTLS(target.TLS, c.options.Logger)
	if err != nil {
		return err
	}
	proxy, err := proxyFunc(target.Proxy)
	if err != nil {
		return err
	}
	c.ca, c.made = ca, time.Now()
	dial := newDialer(target).DialContext
	c.current = &http.Transport{
		Proxy:                  proxy,
		OnProxyConnectResponse: onConnectResponse,
		DialContext:            keepStatus(dial),
		DialTLSContext:         dialTLS(dial, tls),
		TLSClientConfig:        tls,
		TLSHandshakeTimeout:    handshakeTimeout,
		ForceAttemptHTTP2:      true,
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingTimeout},
		MaxIdleConns:           max(target.Concurrency, 1),
		MaxIdleConnsPerHost:    max(target.Concurrency, 1),
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: maxResponseHeader,
		DisableCompression:     true, // so that no response can be a decompression bomb
	}
	return nil
}

// mayBeFromProxy reports whether a forward proxy may have written the response to
// a request: it can do so where it sees the request unencrypted.
func (c *connections) mayBeFromProxy(request *http.Request) bool {
	c.mu.Lock()
	proxy := c.current.Proxy
	c.mu.Unlock()
	if request.URL.Scheme != "http" || proxy == nil {
		return false
	}
	address, err := proxy(request)
	return err == nil && address != nil
}

// close closes idle connections, while no attempt is in flight.
func (c *connections) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.current.CloseIdleConnections()
}
