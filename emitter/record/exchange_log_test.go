package record

import (
	"bytes"
	"log/slog"
	"regexp"
	"strings"
	"testing"
)

func TestAWatchedExchangeIsLoggedWithoutIDsAndAnswers(t *testing.T) {
	d := newTestRecorder(t, t.TempDir())
	var out bytes.Buffer
	d.digest = func(participant string) string { return "digest-of-" + strings.ToUpper(participant) }
	f := func(level slog.Level, path, body, want string) {
		t.Helper()
		out.Reset()
		d.log = slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: level}))
		d.begin("GET", path)(page(body))
		if !regexp.MustCompile("^"+want+"$").MatchString(out.String()) || strings.Contains(out.String(), "alice") {
			t.Errorf("%s: the log has %q, want %q", path, out.String(), want)
		}
	}
	showAlice := strings.ReplaceAll(showPage1, `"p"`, `"alice"`)
	const line = `time=\S+ level=DEBUG msg="watched exchange ended" route="GET /api/progress/{survey}/{instance}/{participant\?}" status=200 `
	f(slog.LevelDebug, "/api/progress/5/3/alice", showAlice, line+`result=recorded duration=\S+ says=page_shown survey=3 participant=digest-of-ALICE\n`)
	f(slog.LevelInfo, "/api/progress/5/3/alice", showAlice, "")
	f(slog.LevelDebug, "/api/progress/5/3/alice", "<html>", `(?s).*`+line+`result=\w+ duration=\S+ participant=digest-of-ALICE\n`)
}
