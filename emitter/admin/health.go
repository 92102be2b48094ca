package admin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

const (
	// healthLimit bounds the whole of Health.
	healthLimit = 3 * time.Second
	// readyLimit bounds the look at the app for /ready.
	readyLimit = time.Second
	// reasonLimit is how much of a reason is read, in bytes.
	reasonLimit = 1 << 10
)

var errDraining = errors.New("shutting down")

// Health asks the sidehook whose admin listener is at address, host:port, how
// it is. An address without a host is on loopback.
func Health(ctx context.Context, address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("cannot ask %q: the address must be host:port, such as 127.0.0.1:9090", address)
	}
	if host == "" {
		host = "127.0.0.1"
	}
	ctx, cancel := context.WithTimeout(ctx, healthLimit)
	defer cancel()
	for _, path := range []string{"/live", "/ready"} {
		if err := ask(ctx, "http://"+net.JoinHostPort(host, port)+path); err != nil {
			return fmt.Errorf("sidehook at %s is not well: %s: %w", net.JoinHostPort(host, port), path, err)
		}
	}
	return nil
}

func ask(ctx context.Context, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	reason, err := io.ReadAll(io.LimitReader(response.Body, reasonLimit))
	if response.StatusCode != http.StatusOK {
		return errors.New(strings.TrimSpace(string(reason)))
	}
	return err
}

// live says that the process runs; it depends on nothing else, since a restart
// would mend nothing else.
func (a *Admin) live(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") }

// ready says whether participants can be served. Dead targets and a store that
// cannot be written don't keep participants away; the latter is told of.
func (a *Admin) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyLimit)
	defer cancel()
	err := a.config.Ready(ctx)
	if a.draining.Load() {
		err = errDraining
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ok")
	if open, reason := a.config.Store.State(); !open {
		fmt.Fprintln(w, "but nothing is recorded:", reason)
	}
}
