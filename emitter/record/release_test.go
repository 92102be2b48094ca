package record

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
)

// versionApp responds from the third request on; until then it starts.
type versionApp struct {
	status            int
	contentType, body string
	asked             int
}

func (a *versionApp) Get(_ context.Context, _, path string) (int, string, []byte, error) {
	if a.asked++; a.asked < 3 || path != "/version" {
		return 0, "", nil, errors.New("connection refused")
	}
	return a.status, a.contentType, []byte(a.body), nil
}

func TestAReleaseWithoutNavigationIsLoggedOnce(t *testing.T) {
	f := func(app *versionApp, want string) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			var log bytes.Buffer
			checkRelease(t.Context(), app, decsysProfile(t), slog.New(slog.NewTextHandler(&log, nil)))
			if got := strings.Count(log.String(), "this release of the app is too old"); got != min(len(want), 1) || !strings.Contains(log.String(), want) {
				t.Errorf("for %s the log has %q, want %q", app.body, log.String(), want)
			}
			if app.asked != 3 {
				t.Errorf("the app was asked %d times, want 3", app.asked)
			}
		})
	}
	f(&versionApp{status: 200, contentType: "application/json; charset=utf-8", body: `{"API App":"1.0.3"}`}, "release=1.0.3 oldest=2.0.0")
	f(&versionApp{status: 200, contentType: "application/json", body: `"2.0.0-beta.9"`}, "release=2.0.0-beta.9 oldest=2.0.0")
	f(&versionApp{status: 200, contentType: "application/json", body: `"2.6.0"`}, "")
	f(&versionApp{status: 200, contentType: "text/html", body: `<p>jQuery 1.12.4`}, "")
	f(&versionApp{status: 404, contentType: "application/json", body: `"1.0.3"`}, "")
}
