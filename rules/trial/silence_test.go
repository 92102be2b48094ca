package trial

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/config"
)

func TestASilenceIsReportedIfTheRecordingShowsIt(t *testing.T) {
	cfg, err := config.LoadWithoutSecrets("testdata/config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	profile, err := rules.LoadProfile(cfg.Profile)
	if err != nil {
		t.Fatal(err)
	}
	har, err := os.Open("testdata/session-chrome.har")
	if err != nil {
		t.Fatal(err)
	}
	defer har.Close()
	recorded, _, err := ReadHAR(har)
	if err != nil {
		t.Fatal(err)
	}
	cfg.AbandonedAfter = config.Duration(30 * time.Minute)
	f := func(name string, on []config.EventName, pause time.Duration, want string) {
		t.Helper()
		cfg.Rules = []config.Rule{{On: on, To: []string{"lake"}}}
		later := append([]Recorded{}, ByEnd(recorded)...)
		for i := range later {
			if i >= len(later)/2 {
				later[i].Start, later[i].End = later[i].Start.Add(pause), later[i].End.Add(pause)
			}
		}
		end := Recorded{Method: "GET", Target: "/image.png", Start: later[len(later)-1].End.Add(time.Hour)}
		end.End = end.Start
		report := Run(Options{Profile: profile, Config: cfg, Preview: sendNothing}, append(later, end), nil)
		var names []string
		for _, x := range report.Exchanges {
			for _, event := range x.Events {
				names = append(names, string(event.Name))
			}
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	all := config.EventNames()
	f("nobody is silent for long", all, 29*time.Minute, "started page_navigation completion")
	f("somebody is", all, 31*time.Minute, "started abandoned page_navigation completion")
	f("no rule names it", nil, 31*time.Minute, "page_navigation completion")
	recorded = ByEnd(recorded)[:len(recorded)/2]
	f("the recording goes on without the participant", all, 0, "started abandoned")
}
