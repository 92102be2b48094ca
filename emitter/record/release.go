package record

import (
	"context"
	"log/slog"
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
			if release := profile.ReadRelease(status, contentType, body); release.IsTooOld {
				logger.Warn("this release of the app is too old: its traffic shows no navigations, so no events are recorded",
					"profile", profile.App, "release", release.Found, "oldest", release.Oldest)
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
