package trial

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/config"
)

// sendNothing makes no deliveries.
func sendNothing(rules.Key, *rules.Event, func(target, rule, contentType string, body []byte)) {}

// tryPulse tries a recording of the fictitious app Pulse.
func tryPulse(t *testing.T, file string) *Report {
	t.Helper()
	cfg, err := config.LoadWithoutSecrets("testdata/config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	profile, err := rules.LoadProfile(cfg.Profile)
	if err != nil {
		t.Fatal(err)
	}
	har, err := os.Open("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	defer har.Close()
	recorded, omitted, err := ReadHAR(har)
	if err != nil {
		t.Fatal(err)
	}
	return Run(Options{Profile: profile, Config: cfg, Preview: sendNothing}, recorded, omitted)
}

func TestAnAppThatIsNotDecsysIsObservedByItsProfile(t *testing.T) {
	report := tryPulse(t, "session-chrome.har")
	var got []string
	for _, x := range report.Exchanges {
		for _, event := range x.Events {
			got = append(got, string(event.Name)+" "+string(event.Data))
		}
	}
	survey := `"survey":{"id":"breakfast","instance":"breakfast","friendly_id":null,"study":null},"participant":{"id":"v-17","started":"2026-03-02T09:15:00.084Z"},`
	coffee := `{"page":1,"page_name":"Coffee","position":1,"item":"sort","question":"Which coffee do you drink?","type":"choice","optional":false,"state":"answered","response":"Café crème","label":null,"page_loaded":"2026-03-02T09:15:00.084Z","recorded":"2026-03-02T09:15:01.509Z"}`
	milk := `{"page":2,"page_name":"Milk","position":2,"item":"how","question":"And how?","type":"form","optional":true,"state":"answered","response":{"without":true,"sugar":1.50},"label":null,"page_loaded":"2026-03-02T09:15:02.024Z","recorded":"2026-03-02T09:15:03.060Z"}`
	want := []string{
		`page_navigation {` + survey + `"from":{"id":"coffee","number":1,"position":1,"name":"Coffee"},"to":{"id":"milk","number":2,"position":2,"name":"Milk"},"completed":false,"outcome":null,"recovered":false,"partial":false,"page_count":2,"responses":[` + coffee + `]}`,
		`completion {` + survey + `"from":{"id":"milk","number":2,"position":2,"name":"Milk"},"to":null,"completed":true,"outcome":"completed","recovered":false,"partial":false,"page_count":2,"responses":[` + coffee + `,` + milk + `]}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRecordingsOfAllBrowsersGiveTheSameReport(t *testing.T) {
	summary := func(file string) string {
		var b strings.Builder
		for _, x := range tryPulse(t, file).Exchanges {
			if x.Status == 0 {
				continue // only Chrome records aborted requests
			}
			x.Entry = 0
			b.WriteString(x.Request + " ")
			if x.Observation != nil {
				b.WriteString(x.Observation.text(x.Kind))
			}
			for _, event := range x.Events {
				b.Write(event.Data)
			}
			b.WriteString("\n")
		}
		return b.String()
	}
	want := summary("session-chrome.har")
	for _, file := range []string{"session-firefox.har", "session-safari.har"} {
		if diff := cmp.Diff(want, summary(file)); diff != "" {
			t.Errorf("%s (-Chrome +other):\n%s", file, diff)
		}
	}
}

func TestAReportSaysWhyThereIsNoEvent(t *testing.T) {
	profile, err := rules.LoadProfile("decsys")
	if err != nil {
		t.Fatal(err)
	}
	f := func(want string, entries ...string) {
		t.Helper()
		recorded, omitted, err := ReadHAR(strings.NewReader(harOf(entries...)))
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		if err := Run(Options{Profile: profile, Config: &config.Config{}, Preview: sendNothing}, recorded, omitted).WriteText(&b); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(b.String(), want) {
			t.Errorf("does not say %q:\n%s", want, b.String())
		}
	}
	at := func(request, response string) string {
		method, path, _ := strings.Cut(request, " ")
		return `{"request":{"method":"` + method + `","url":"http://a` + path + `"},"response":{` + response + `}}`
	}
	page := func(id string) string {
		return `"status":200,"content":{"mimeType":"application/json","text":"{\"surveyId\":5,\"instanceId\":3,\"participantId\":\"p\",\"page\":` + id + `}"}`
	}
	one, end := page(`{\"id\":\"one\",\"order\":1,\"components\":[]}`), page("null")
	f("no route of the profile matches: is it the right one", at("GET /", `"status":200`))
	f("no route matches these:\n   POST /api/other (2 times)\n", at("POST /api/other", `"status":200`), at("POST /api/other?again", `"status":200`))
	f("it would say page_shown with 200 application/json, but the response was 200 text/html", at("GET /api/progress/5/3/p", `"status":200,"content":{"mimeType":"text/html","text":"<html>"}`))
	f("but its bodies could not be copied: the HAR file has no response body", at("GET /api/progress/5/3/p", `"status":200,"content":{"mimeType":"application/json","size":7}`))
	f("but the app's response is not valid JSON", at("GET /api/progress/5/3/p", `"status":200,"content":{"mimeType":"application/json","text":"{"}`))
	f("it names no participant yet", at("GET /api/progress/5/3/", `"status":200,"content":{"mimeType":"application/json","text":"{\"participantId\":null}"}`))
	f("no event: the participant was there already", at("GET /api/progress/5/3/p", one), at("POST /api/progress/5/3/p/next", one))
	f("no page: completed\n   event 1 of the participant: completion\n", at("GET /api/progress/5/3/p", one), at("POST /api/progress/5/3/p/next", end))
	f("event 1 of the participant: completion, recovered", at("GET /api/progress/5/3/p", one), at("GET /api/progress/5/3/p", end))
	f("page_shown: participant p, survey 5/3 (fzd), page 1 null (one), takes no answer\n   what the participant did before cannot be read, so that their events are partial: it is not in the file\n", at("GET /api/progress/5/3/p", one))
	// no route reads the missing body
	f("page_loaded: participant p", at("POST /api/log/3/p/one/decsys.platform.PAGE_LOAD", `"status":204,"content":{"size":7}`))
}

func TestATrialNeedsNoSecret(t *testing.T) {
	cfg, err := loadTextToTry(t, `
app: https://app.example.org
app_tls: {ca: nowhere.pem}
admin_token: file:/nowhere/token
targets:
  crm:
    url: https://crm.example.org/
    secret: [env:SIDEHOOK_NOT_SET, file:/nowhere/secret]
    tls: {cert: nowhere.pem, key: nowhere.key}
    pseudonymise: {key: env:SIDEHOOK_NOT_SET, participant: true}
rules: [{to: [crm]}]
`)
	if err != nil {
		t.Fatal(err)
	}
	if got := cfg.Targets["crm"].Secret[0].Reveal(); got != config.StandIn {
		t.Errorf("the secret is %q", got)
	}
	if _, err := loadTextToTry(t, "app: http://a\ntargets: {crm: {url: http://b, secret: inline}}\nrules: [{to: [crm]}]"); err == nil || !strings.Contains(err.Error(), "the secret itself must not be in this file") {
		t.Errorf("a secret in the file is taken: %v", err)
	}
}

func loadTextToTry(t *testing.T, source string) (*config.Config, error) {
	t.Helper()
	file := t.TempDir() + "/config.yaml"
	if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	return config.LoadWithoutSecrets(file)
}

func TestBodiesPastTheirBoundAreLeftOut(t *testing.T) {
	kept := &trial{Options: Options{MaxBodies: 10}}
	if got := string(kept.keep([]byte("12345678"))); got != "12345678" {
		t.Errorf("within the bound: %q", got)
	}
	if got := string(kept.keep([]byte("345"))); got != string(leftOut) {
		t.Errorf("past the bound: %q", got)
	}
}
