package admin

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
	// askLimit bounds a request of the client that makes one step.
	askLimit = 30 * time.Second
	// answerLimit is the longest answer that the client reads, in bytes.
	answerLimit = 256 << 20
)

// client asks the sidehook that runs.
type client struct {
	// address is host:port of its admin listener.
	address string
	token   config.Secret
	http    http.Client
}

func newClient(address string, token config.Secret) (*client, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("cannot ask %q: the address must be host:port, such as 127.0.0.1:9090", address)
	}
	if host == "" {
		host = "127.0.0.1"
	}
	return &client{
		address: net.JoinHostPort(host, port), token: token,
		http: http.Client{Transport: &http.Transport{DialContext: (&net.Dialer{Timeout: healthLimit}).DialContext}},
	}, nil
}

// ask asks for one thing and decodes the answer, unless into is nil.
func (c *client) ask(ctx context.Context, method, path string, values url.Values, into any) error {
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	body, err := c.open(ctx, method, path+"?"+values.Encode(), nil)
	if err != nil {
		return err
	}
	return decode(body, into)
}

// tell is ask with a body, and may take as long as ctx allows.
func (c *client) tell(ctx context.Context, path string, what, into any) error {
	content, err := json.Marshal(what)
	if err != nil {
		return err
	}
	body, err := c.open(ctx, http.MethodPost, path, content)
	if err != nil {
		return err
	}
	return decode(body, into)
}

// open gives the body of an answer, which the caller closes, or why there is none.
func (c *client) open(ctx context.Context, method, path string, content []byte) (io.ReadCloser, error) {
	request, err := http.NewRequestWithContext(ctx, method, "http://"+c.address+path, bytes.NewReader(content))
	if err != nil {
		return nil, errors.New("cannot ask that: a name has letters that no address has")
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
	reason, _ := io.ReadAll(io.LimitReader(response.Body, reasonLimit))
	text := strings.TrimSpace(string(reason))
	switch response.StatusCode {
	case http.StatusUnauthorized:
		text += ": give the one of its configuration with -token env:NAME or -token file:PATH"
	case http.StatusForbidden:
		text = "it lets in only loopback, or whoever has its admin_token: give that with -token env:NAME or -token file:PATH"
	}
	return nil, fmt.Errorf("sidehook at %s says %d: %s", c.address, response.StatusCode, text)
}

// explain says what is wrong with the way to the process.
func (c *client) explain(err error) error {
	var failed *url.Error
	if errors.As(err, &failed) {
		err = failed.Err
	}
	var operation *net.OpError
	if errors.As(err, &operation) && operation.Op == "dial" {
		return fmt.Errorf("no sidehook answers at %s (%w): start it, or say where its admin listener is with -admin", c.address, operation.Err)
	}
	return fmt.Errorf("cannot ask sidehook at %s: %w", c.address, err)
}

func decode(body io.ReadCloser, into any) error {
	defer body.Close()
	if into == nil {
		return nil
	}
	if err := json.NewDecoder(io.LimitReader(body, answerLimit)).Decode(into); err != nil {
		return fmt.Errorf("cannot understand the answer (is it the same release?): %w", err)
	}
	return nil
}
