package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/sidehook/sidehook/rules/config"
)

const (
	// dialTimeout bounds the connection to the admin listener.
	dialTimeout = 3 * time.Second
	// requestTimeout bounds a request that does one step.
	requestTimeout = 30 * time.Second
	// maxResponse is the longest JSON response, in bytes.
	maxResponse = 256 << 20
	// maxReason is the longest error text read, in bytes.
	maxReason = 4 << 10
)

// client sends requests to the admin listener of a running sidehook.
type client struct {
	// address is host:port.
	address string
	token   config.Secret
	http    http.Client
}

func newClient(address string, token config.Secret) (*client, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("%q is not an address: it must be host:port, such as %s", address, defaultAddress)
	}
	if host == "" {
		host = "127.0.0.1"
	}
	dialer := net.Dialer{Timeout: dialTimeout}
	return &client{
		address: net.JoinHostPort(host, port), token: token,
		http: http.Client{Transport: &http.Transport{DialContext: dialer.DialContext}},
	}, nil
}

// do sends a request without a body and decodes the response, unless into is nil.
func (c *client) do(ctx context.Context, method, path string, values url.Values, into any) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	if len(values) > 0 {
		path += "?" + values.Encode()
	}
	body, err := c.open(ctx, method, path, nil)
	if err != nil {
		return err
	}
	return decode(body, into)
}

// post sends a request as JSON and decodes the response. It may take until ctx ends.
func (c *client) post(ctx context.Context, path string, request, into any) error {
	content, err := json.Marshal(request)
	if err != nil {
		return err
	}
	body, err := c.open(ctx, http.MethodPost, path, content)
	if err != nil {
		return err
	}
	return decode(body, into)
}

// open sends a request and returns the body of a response with status 2xx. The caller closes it.
func (c *client) open(ctx context.Context, method, path string, content []byte) (io.ReadCloser, error) {
	request, err := http.NewRequestWithContext(ctx, method, "http://"+c.address+path, bytes.NewReader(content))
	if err != nil {
		return nil, fmt.Errorf("%q is not an address: it must be host:port, such as %s", c.address, defaultAddress)
	}
	if !c.token.IsZero() {
		request.Header.Set("Authorization", "Bearer "+c.token.Reveal())
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, c.explain(err)
	}
	if response.StatusCode < http.StatusMultipleChoices {
		return response.Body, nil
	}
	defer response.Body.Close()
	reason, _ := io.ReadAll(io.LimitReader(response.Body, maxReason))
	return nil, &statusError{address: c.address, status: response.StatusCode, reason: strings.TrimSpace(string(reason))}
}

// explain returns what is wrong with the connection to the admin listener.
func (c *client) explain(err error) error {
	var failed *url.Error
	if errors.As(err, &failed) {
		err = failed.Err
	}
	var operation *net.OpError
	if errors.As(err, &operation) && operation.Op == "dial" {
		return fmt.Errorf("cannot connect to sidehook at %s (%w): start it, or name its admin listener with --admin", c.address, operation.Err)
	}
	return fmt.Errorf("request to sidehook at %s failed: %w", c.address, err)
}

// statusError is a response with another status than 2xx.
type statusError struct {
	address string
	status  int
	reason  string
}

func (e *statusError) Error() string {
	switch e.status {
	case http.StatusUnauthorized:
		return fmt.Sprintf("sidehook at %s: %s: use that of its configuration, with --token env:NAME or --token file:PATH", e.address, e.reason)
	case http.StatusForbidden:
		return fmt.Sprintf("sidehook at %s answers only requests from loopback, or with its admin_token: --token env:NAME or --token file:PATH", e.address)
	case http.StatusBadRequest, http.StatusNotFound, http.StatusConflict:
		return e.reason
	}
	return fmt.Sprintf("sidehook at %s: %s (status %d)", e.address, e.reason, e.status)
}

func decode(body io.ReadCloser, into any) error {
	defer body.Close()
	if into == nil {
		return nil
	}
	if err := json.NewDecoder(io.LimitReader(body, maxResponse)).Decode(into); err != nil {
		return fmt.Errorf("cannot understand the response (is sidehook of another release?): %w", err)
	}
	return nil
}
