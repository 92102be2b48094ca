package draft

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"

	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/config"
	"github.com/sidehook/sidehook/rules/trial"
)

// Each session is tried with the profile that is proposed for it, as it is.
func TestAProposalTellsItsOwnSession(t *testing.T) {
	f := func(session string, want ...string) {
		t.Run(session, func(t *testing.T) {
			har, err := os.ReadFile("../trial/testdata/" + session + ".har")
			if err != nil {
				t.Fatal(err)
			}
			proposed, err := Propose(bytes.NewReader(har))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, tell(t, proposed, har)); diff != "" {
				t.Errorf("(-want +got):\n%s\n%s", diff, proposed)
			}
		})
	}
	f("apps/endatix", ` > completed: name="Ann" stars=4`)
	f("apps/formbricks", ` > completed: liked=["Speed", "Price"] nps=9 usage="Daily"`)
	f("apps/formulosity", ` > completed: u-q1="Ann" u-q2=4`)
	f("apps/heyform", ` > completed: fa="Ann" fb=4`)
	f("apps/jatos", ` > completed: c1-uuid={"consent":true,"age":31} c2-uuid=[{"rt":512,"correct":true},{"rt":611,"correct":false}]`)
	f("apps/limesurvey",
		`123456X7X31 > 123456X8X41: 123456X7X31="Ann" 123456X7X32="31"`,
		`123456X8X41 > completed: 123456X7X31="Ann" 123456X7X32="31" 123456X8X41="N" 123456X8X42="Tea & cake"`)
	f("apps/nextcloud-forms", ` > completed: 31=["12"] 32=["Very good"]`)
	f("apps/odk",
		` > completed: members={"age":"31"} name="Ann"`,
		` > completed: members={"age":"31"} name="Ann"`)
	f("apps/opnform", ` > completed: 5f1b6d0a-1111-4c0e-9f00-000000000001="Ann" 5f1b6d0a-1111-4c0e-9f00-000000000002="Prices"`)
	f("apps/otree",
		`1 > 2: age="31"`,
		`2 > completed: age="31" sent="40" sure="3"`)
	f("apps/surveyjs", ` > completed: name="Ann" stars=4`)
	f("apps/typebot",
		`blk_name > blk_smoke: blk_name="Ann"`,
		`blk_smoke > completed: blk_name="Ann" blk_smoke="No"`)
	f("session-chrome",
		`coffee > milk: coffee-text=null sort="Café crème"`,
		`milk > completed: coffee-text=null sort="Café crème" milk-text=null how={"without":true,"sugar":1.50}`)
}

// tell returns the events of a session, each as the page that was left, the page that
// was reached or completed, and the answers.
func tell(t *testing.T, proposed, har []byte) (events []string) {
	t.Helper()
	profile, err := rules.ParseProfile("proposed.yaml", proposed)
	if err != nil {
		t.Fatal(err)
	}
	recorded, _, err := trial.ReadHAR(bytes.NewReader(har))
	if err != nil {
		t.Fatal(err)
	}
	nothing := func(rules.Key, *rules.Event, func(target, rule, contentType string, body []byte)) {}
	report := trial.Run(trial.Options{Profile: profile, Config: &config.Config{Settle: config.Duration(time.Minute)}, Preview: nothing}, recorded, nil)
	for _, exchange := range report.Exchanges {
		for _, event := range exchange.Events {
			events = append(events, line(gjson.ParseBytes(event.Data)))
		}
	}
	return events
}

func line(event gjson.Result) string {
	to := event.Get("to.id").String()
	if event.Get("completed").Bool() {
		to = "completed"
	}
	text := event.Get("from.id").String() + " > " + to + ":"
	for _, response := range event.Get("responses").Array() {
		text += " " + response.Get("item").String() + "=" + response.Get("response").Raw
	}
	return text
}

func TestNothingIsProposedWithoutAnswers(t *testing.T) {
	_, err := Propose(strings.NewReader(`{"log":{"entries":[{"request":{"method":"GET","url":"http://a.test/"},"response":{"status":200,"content":{}}}]}}`))
	if !errors.Is(err, errNothing) {
		t.Errorf("%v, want %v", err, errNothing)
	}
}

// Whatever was recorded, the proposal is a profile, or an error says why there is none.
func FuzzAProposalIsAProfile(f *testing.F) {
	files, err := filepath.Glob("../trial/testdata/apps/*.har")
	if err != nil || len(files) == 0 {
		f.Fatal(files, err)
	}
	for _, name := range files {
		har, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(har)
	}
	f.Fuzz(func(t *testing.T, har []byte) {
		if _, err := Propose(bytes.NewReader(har)); err != nil && strings.Contains(err.Error(), "by itself") {
			t.Error(err)
		}
	})
}

// submission is a HAR file with one request of JSON, and what came before it.
func submission(path, body string, before ...string) string {
	entry := func(method, path, sent, got string) string {
		request, _ := json.Marshal(sent)
		response, _ := json.Marshal(got)
		return fmt.Sprintf(`{"request":{"method":%q,"url":"https://s.test%s","headers":[{"name":"Content-Type","value":"application/json"}],"postData":{"text":%s}},
			"response":{"status":200,"headers":[],"content":{"mimeType":"application/json","text":%s}}}`, method, path, request, response)
	}
	var entries []string
	for _, response := range before {
		entries = append(entries, entry("GET", "/surveys/42", "", response))
	}
	entries = append(entries, entry("POST", path, body, `{"ok":true}`))
	return `{"log":{"entries":[` + strings.Join(entries, ",") + `]}}`
}

func TestNoCredentialIsProposedAsAnAnswer(t *testing.T) {
	har := []byte(submission("/surveys/42/submit", `{"data":{"q1":"Ann","password":"hunter2","csrfToken":"t0k","session_id":"s1"}}`))
	proposed, err := Propose(bytes.NewReader(har))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{` > completed: q1="Ann"`}, tell(t, proposed, har)); diff != "" {
		t.Errorf("(-want +got):\n%s\n%s", diff, proposed)
	}
	_, err = Propose(strings.NewReader(submission("/auth/login", `{"data":{"email":"a@b.test","password":"hunter2"}}`)))
	if !errors.Is(err, errNothing) {
		t.Errorf("a login: %v, want %v", err, errNothing)
	}
}

func TestAnAnswerIsNoEnd(t *testing.T) {
	const asked = `{"questions":[{"id":"marital_status","type":"text"},{"id":"home_state","type":"text"}]}`
	proposed, err := Propose(strings.NewReader(submission("/surveys/42/answers", `{"data":{"marital_status":"done","home_state":"finished"}}`, asked)))
	if err != nil || strings.Contains(string(proposed), "if: request") {
		t.Errorf("%v\n%s", err, proposed)
	}
}

func TestOddNamesAreQuoted(t *testing.T) {
	for _, name := range []string{"- d", "~", "? q", "null", "q?", " lead", "tab\t", "a: b", "#a", "a, b", "{a}", "'", `"`, "a\nb", "*"} {
		encoded, err := json.Marshal(name)
		if err != nil {
			t.Fatal(err)
		}
		har := submission("/surveys/42/submit", `{"sessionId":"s17","data":{"q1":"Ann",`+string(encoded)+`:"x"}}`, `{"questions":[{"id":"q1","type":"text"}]}`)
		proposed, err := Propose(strings.NewReader(har))
		if err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		if got := tell(t, proposed, []byte(har)); len(got) != 1 || got[0] != ` > completed: q1="Ann"` && name != "*" {
			t.Errorf("%q: %q\n%s", name, got, proposed)
		}
	}
}
