package record

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/sidehook/sidehook/rules"
)

const (
	// releaseTimeout bounds one request for the app's release.
	releaseTimeout = 30 * time.Second
	// firstReleaseWait is the wait after the first request that failed. It doubles up to maxReleaseWait.
	firstReleaseWait = time.Second
	maxReleaseWait   = time.Minute
)

// checkRelease asks the app for its release as soon as it can be reached, and logs
// a release of which no event can come. An app that names none is taken to be recent.
func checkRelease(ctx context.Context, app AppReader, profile *rules.Profile, logger *slog.Logger) {
	for wait := firstReleaseWait; ; wait = min(2*wait, maxReleaseWait) {
		asking, cancel := context.WithTimeout(ctx, releaseTimeout)
		status, contentType, body, err := app.Get(asking, "", profile.VersionPath())
		cancel()
		if err == nil {
			release, oldest, old := profile.TooOld(body)
			if old && status == 200 && strings.HasPrefix(contentType, "application/json") {
				logger.Warn("this release of the app is too old: its traffic shows no navigations, so no events are recorded",
					"profile", profile.App, "release", release, "oldest", oldest)
			}
			return
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return
		}
	}
}
