package logs

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/sidehook/sidehook/rules/config"
)

func TestFormatAndLevelChangeWhileLinesAreWritten(t *testing.T) {
	var out strings.Builder
	l := New(&out)
	derived := l.With("target", "crm")
	derived.Debug("below the level")
	derived.Info("as text")
	l.Apply(config.Log{Format: config.LogJSON, Level: config.LogDebug})
	derived.Debug("as JSON", "number", 1, "took", time.Second)
	l.Apply(config.Log{Format: config.LogText, Level: config.LogError})
	derived.Warn("below the level")
	derived.WithGroup("group").Error("as text again", "number", 2)
	l.Close()

	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 3 || !strings.HasSuffix(lines[0], `level=INFO msg="as text" target=crm`) || !strings.HasSuffix(lines[2], `msg="as text again" target=crm group.number=2`) {
		t.Fatalf("the lines are\n%s", out.String())
	}
	var line struct {
		Level, Msg, Target, Took string
		Number                   int
	}
	if err := json.Unmarshal([]byte(lines[1]), &line); err != nil || line.Level != "DEBUG" || line.Msg != "as JSON" || line.Target != "crm" || line.Number != 1 || line.Took != "1s" {
		t.Errorf("%s: %v", lines[1], err)
	}
}

func TestADigestNamesTheSameIDAlikeUntilTheNextStart(t *testing.T) {
	d := NewDigest()
	if got := d.Of("alice"); got != d.Of("alice") || got == d.Of("bob") || len(got) != 2*digestSize {
		t.Errorf("alice is %s, and then %s; bob is %s", got, d.Of("alice"), d.Of("bob"))
	}
	if d.Of("alice") == NewDigest().Of("alice") {
		t.Error("another process has the same digests")
	}
}
