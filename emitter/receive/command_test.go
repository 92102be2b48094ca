package receive

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// run runs the command until it ends, or until its first output has come and then
// ended by a signal.
func run(t *testing.T, args ...string) (printed string, err error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	reader, writer := io.Pipe()
	cmd := Command()
	cmd.SetArgs(args)
	cmd.SetOut(writer)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	ended := make(chan error, 1)
	go func() {
		err := cmd.ExecuteContext(ctx)
		writer.Close()
		ended <- err
	}()
	var all bytes.Buffer
	var asking sync.WaitGroup
	defer asking.Wait()
	buffer, isAsked := make([]byte, 4096), false
	for {
		n, err := reader.Read(buffer)
		all.Write(buffer[:n])
		if found := regexp.MustCompile(`http://127\.0\.0\.1:\d+\n(.|\n)*secret: .*\n\n$`).FindString(all.String()); found != "" && !isAsked {
			isAsked = true
			address, _, _ := strings.Cut(found, "\n")
			asking.Go(func() { // which prints, so that somebody must read
				defer cancel()
				response, err := http.Get(address)
				if err != nil {
					t.Errorf("nobody listens at %s: %v", address, err)
					return
				}
				response.Body.Close()
			})
		}
		if err != nil {
			break
		}
	}
	return all.String(), <-ended
}

func TestListenPrintsWhatATargetNeeds(t *testing.T) {
	t.Setenv("RECEIVE_SECRET", "a secret of some length")
	f := func(want string, args ...string) {
		t.Helper()
		printed, err := run(t, append(args, "--port", "0")...)
		if err != nil || !strings.Contains(printed, want) {
			t.Errorf("%q: %v, printed\n%s", args, err, printed)
		}
	}
	f("WEBHOOK_SECRET=whsec_")
	f("secret: env:RECEIVE_SECRET\n", "--secret", "env:RECEIVE_SECRET")
}

func TestListenRefusesWhatItCannotDo(t *testing.T) {
	f := func(want string, args ...string) {
		t.Helper()
		if printed, err := run(t, args...); err == nil || !strings.Contains(err.Error(), want) || printed != "" {
			t.Errorf("%q: %v, want %q; printed %q", args, err, want, printed)
		}
	}
	f("from 200 to 599", "--answer", "99")
	f("must be a URL", "--forward", "127.0.0.1:3000")
	f("cannot use --secret", "--secret", "whsec_plain")
	f("cannot listen for webhooks", "--port", "70000")
	f("none of the others can be", "--answer", "500", "--forward", "http://127.0.0.1")
}
