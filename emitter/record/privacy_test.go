package record

import (
	"bytes"
	"os"
	"testing"

	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/config"
	"github.com/sidehook/sidehook/rules/trial"
)

// private hides all answers and participants from targets of each format.
const private = `
app: http://127.0.0.1:5000
targets:
  a: {url: 'https://a.test', secret: env:S, format: standard, redact: &all {participant: true, answers: [{item: '*'}]}}
  b: {url: 'https://b.test', secret: env:S, format: cloudevents, redact: *all}
  c: {url: 'https://c.test', secret: env:S, format: decsys, redact: *all}
  d: {url: 'https://d.test', secret: env:S, format: standard, pseudonymise: {key: env:S, participant: true, answers: [{item: '*'}]}}
  e: {url: 'https://e.test', secret: env:S, format: standard, redact: {participant: true}, only: []}
rules: [{to: [a, b, c, d, e]}]
`

// Each app's session has these in ids, answers, cookies or tokens, and no webhook may.
func TestNoShapeOfAnswerPassesARedaction(t *testing.T) {
	f := func(app string, canaries ...string) {
		t.Helper()
		har, err := os.ReadFile("../../rules/trial/testdata/apps/" + app + ".har")
		if err != nil {
			t.Fatal(err)
		}
		for _, canary := range canaries {
			if !bytes.Contains(har, []byte(canary)) {
				t.Errorf("%s: the session has no %s", app, canary)
			}
		}
		sent := 0
		for _, body := range privately(t, app, har) {
			sent++
			for _, canary := range canaries {
				if bytes.Contains(body, []byte(canary)) {
					t.Errorf("%s: %s is sent in\n%s", app, canary, body)
				}
			}
		}
		if sent == 0 || sent%5 != 0 {
			t.Errorf("%s: %d webhooks for five targets", app, sent)
		}
	}
	f("endatix", "Ann", "tok_1", "5001")
	f("formbricks", "clrs0000000000000000000001", "Daily", "Speed")
	f("formulosity", "Ann", "se-1")
	f("heyform", "Ann", "enc_open_token_1")
	f("jatos", "1a2b-sr", "consent")
	f("limesurvey", "Ann", "cake", "LS-")
	f("nextcloud-forms", "Very good")
	f("odk", "Ann", "uuid:1")
	f("opnform", "Ann", "Prices", "9b2d6d3e-0000-4c0e-9f00-00000000000a")
	f("otree", "x7k2m9qa")
	f("surveyjs", "Ann", "c-1")
	f("typebot", "Ann", "ses_1")
}

// privately returns the bodies of all webhooks of a session.
func privately(t *testing.T, app string, har []byte) (sent [][]byte) {
	t.Helper()
	env := func(string) (string, bool) { return config.StandIn, true }
	c, err := config.Parse("private.yaml", []byte(private), env, os.ReadFile)
	if err != nil {
		t.Fatal(err)
	}
	profile, err := rules.LoadProfile(app)
	if err != nil {
		t.Fatal(err)
	}
	recorded, _, err := trial.ReadHAR(bytes.NewReader(har))
	if err != nil {
		t.Fatal(err)
	}
	report := trial.Run(trial.Options{Profile: profile, Config: c, Preview: Preview(c)}, recorded, nil)
	for _, exchange := range report.Exchanges {
		for _, event := range exchange.Events {
			for _, delivery := range event.Deliveries {
				sent = append(sent, delivery.Body)
			}
		}
	}
	return sent
}
