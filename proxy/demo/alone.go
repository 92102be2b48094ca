package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// serveAlone serves the survey app at an address until ctx ends, so that it can
// stand behind a sidehook that is not the demo's.
func serveAlone(ctx context.Context, address string, out io.Writer) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("cannot listen for the survey app: %w", err)
	}
	server := &http.Server{Handler: New(Options{}), ReadHeaderTimeout: time.Minute}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	fmt.Fprintf(out, "The survey app serves at %s. Open /survey/fzd at the sidehook in front of it.\n", listener.Addr())
	select {
	case err := <-ended:
		return fmt.Errorf("cannot serve the survey app: %w", err)
	case <-ctx.Done():
	}
	err = server.Close()
	if closed := <-ended; !errors.Is(closed, http.ErrServerClosed) {
		return closed
	}
	return err
}
