package record

import (
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/config"
	"github.com/sidehook/sidehook/rules/recordings"
	"github.com/sidehook/sidehook/rules/trial"
)

// This is the fold alone, without a socket or a state file, as `sidehook try` runs it.
func TestFoldingARecordingGivesTheWebhooksThatDecsysSent(t *testing.T) {
	for _, name := range recordings.Names() {
		t.Run(name, func(t *testing.T) {
			rule := config.Rule{To: []string{"receiver"}}
			if name == "script-filter-2-3" {
				rule.SourcePositions = []int{2, 3}
			}
			foldsAsDecsys(t, readRecording(t, name), rule)
		})
	}
}

// There are no recordings of these releases. Their exchanges are those of 2.2.3,
// with other paths and without ids in the responses.
func TestReleases200And201GiveTheSameWebhooks(t *testing.T) {
	paths := regexp.MustCompile(`^/api/progress/(\d+)/(\d+)(/.*)$`)
	bodyIDs := regexp.MustCompile(`"surveyId":\d+,"instanceId":\d+,`)
	f := func(release string, target func(string) string) {
		for _, name := range []string{"v2.2.3-browser-refresh-resume", "v2.2.3-script-crowd", "v2.2.3-script-repeat", "v2.2.3-script-typed"} {
			t.Run(release+" "+name, func(t *testing.T) {
				recording := readRecording(t, name)
				changed := 0
				for i := range recording.Exchanges {
					one := &recording.Exchanges[i]
					if !paths.MatchString(one.Target) {
						continue
					}
					changed++
					one.Target = target(one.Target)
					one.Exchange.ResponseBody = bodyIDs.ReplaceAll(one.Exchange.ResponseBody, nil)
				}
				if changed == 0 {
					t.Fatal("no exchange is a navigation")
				}
				foldsAsDecsys(t, recording, config.Rule{To: []string{"receiver"}})
			})
		}
	}
	f("2.0.1", func(target string) string { return target })
	f("2.0.0", func(target string) string {
		ids := paths.FindStringSubmatch(target)
		survey, _ := strconv.ParseInt(ids[1], 10, 64)
		instance, _ := strconv.ParseInt(ids[2], 10, 64)
		return "/api/progress/" + strconv.FormatInt(survey+10, 35) + "z" + strconv.FormatInt(instance+10, 35) + ids[3]
	})
}

// foldsAsDecsys compares the webhooks of a recording with those that Decsys itself
// sent, and the bodies of each format with their schema.
func foldsAsDecsys(t *testing.T, recording *recordings.Recording, rule config.Rule) {
	t.Helper()
	profile := decsysProfile(t)
	schemas := map[string]*jsonschema.Schema{
		"receiver": schemaOf(t, config.FormatDecsys), "lake": schemaOf(t, config.FormatStandard), "bus": schemaOf(t, config.FormatCloudEvents),
	}
	cfg := &config.Config{
		Settle: config.Duration(500 * time.Millisecond),
		Targets: map[string]config.Target{
			"receiver": {Format: config.FormatDecsys}, "lake": {Format: config.FormatStandard}, "bus": {Format: config.FormatCloudEvents},
		},
		Rules: []config.Rule{rule, {Name: "all", To: []string{"lake", "bus"}}},
	}
	options := trial.Options{Profile: profile, Config: cfg, Preview: Preview(cfg)}
	var got []string
	for _, exchange := range trial.Run(options, recording.Exchanges, nil).Exchanges {
		for _, event := range exchange.Events {
			for _, delivery := range event.Deliveries {
				if delivery.Target == "receiver" {
					got = append(got, string(delivery.Body))
				}
				if err := violation(t, schemas[delivery.Target], delivery.Body); err != nil {
					t.Errorf("a body for %s: %v", delivery.Target, err)
				}
			}
		}
	}
	for _, difference := range recording.Differences(profile, got) {
		t.Error(difference)
	}
}

func readRecording(t *testing.T, name string) *recordings.Recording {
	t.Helper()
	recording, err := recordings.Read(name)
	if err != nil {
		t.Fatal(err)
	}
	return recording
}

func decsysProfile(t testing.TB) *rules.Profile {
	t.Helper()
	profile, err := rules.LoadProfile("decsys")
	if err != nil {
		t.Fatal(err)
	}
	return profile
}
