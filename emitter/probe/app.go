package probe

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/check"
)

// App is how the app is asked.
type App interface {
	// Get sends GET for a path with this Host header.
	Get(ctx context.Context, host, path string) (status int, contentType string, body []byte, err error)
}

// app asks the app for its release, or for its root where the profile names no such
// path.
func app(ctx context.Context, reader App, address string, profile *rules.Profile) check.Finding {
	what, path := "app "+address, profile.VersionPath()
	if path == "" {
		path = "/"
	}
	status, contentType, body, err := reader.Get(ctx, "", path)
	if err != nil {
		return bad(what, "no answer: "+networkReason(ctx, err), "start it, or correct app; until then participants get 503")
	}
	if profile.VersionPath() == "" {
		return good(what, fmt.Sprintf("answers with status %d", status))
	}
	release := profile.ReadRelease(status, contentType, body)
	switch {
	case !release.IsNamed:
		return doubtful(what, fmt.Sprintf("answers, but names no release at %s: it is too old, or another app", path), "compare the profile's manual: it may be another profile that fits")
	case release.IsTooOld:
		return bad(what, fmt.Sprintf("release %s is older than %s, and its traffic shows no navigations", release.Found, release.Oldest), "update the app")
	case release.Found == "":
		return doubtful(what, "answers, but with a release that cannot be read", "")
	}
	return good(what, "release "+release.Found)
}

// networkReason returns why the app cannot be reached, without what it may have sent.
func networkReason(ctx context.Context, err error) string {
	if ctx.Err() != nil {
		return "timeout"
	}
	var operation *net.OpError
	if errors.As(err, &operation) {
		return operation.Err.Error()
	}
	return "its response cannot be read"
}
