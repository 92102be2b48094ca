package record

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/sidehook/sidehook/rules"
)

// The waits between two questions for the app's release, while it does not answer.
const (
	firstReleaseWait = time.Second
	maxReleaseWait   = time.Minute
)

// checkRelease asks the app once for its release, when it can be reached, and says
// so if no event can ever come of it. An app that does not tell is believed to be right.
func checkRelease(ctx context.Context, app AppReader, profile *rules.Profile, logger *slog.Logger) {
	for wait := firstReleaseWait; ; wait = min(2*wait, maxReleaseWait) {
		asking, cancel := context.WithTimeout(ctx, joinLimit)
		status, contentType, body, err := app.Get(asking, "", profile.VersionPath())
		cancel()
		if err == nil {
			release, oldest, old := profile.TooOld(body)
			if old && status == 200 && strings.HasPrefix(contentType, "application/json") {
				logger.Warn("no event will come: this release of the app does not say on the wire when a participant moves on",
					"app", profile.App, "release", release, "oldest", oldest)
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
