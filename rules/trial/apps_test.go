package trial

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"
)

// Each session is in the wire format of the app, as its sources have it.
func TestAProfileInTheBoxGivesTheEventsOfItsApp(t *testing.T) {
	f := func(app string, want ...string) {
		t.Run(app, func(t *testing.T) {
			har, err := os.ReadFile("testdata/apps/" + app + ".har")
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, event := range tryApp(t, app, har) {
				got = append(got, told(event))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	f("endatix", `141: 1 > completed: name="Ann" stars=4`)
	f("formbricks", `clsv0000000000000000000001:  > completed: liked=["Speed", "Price"] nps=9 usage="Daily"`)
	f("formulosity", `short:  > completed: q1="Ann" q2=4`)
	f("heyform", `F1:  > completed: fa="Ann" fb=4`)
	f("jatos",
		`study-uuid: c1-uuid > c2-uuid: c1-uuid={"consent":true,"age":31}`,
		`study-uuid: c2-uuid > completed: c1-uuid={"consent":true,"age":31} c2-uuid=[{"rt":512,"correct":true},{"rt":611,"correct":false}]`)
	f("limesurvey",
		`123456: 0 > 1:`,
		`123456: 1 > 2: 123456X7X31="Ann" 123456X7X32="31"`,
		`123456: 2 > completed: 123456X7X31="Ann" 123456X7X32="31" 123456X8X41="N" 123456X8X42="Tea & cake"`)
	f("nextcloud-forms", `7:  > completed: 31=["12"] 32=["Very good"]`)
	f("odk", `household:  > completed: members={"age":"31"} name="Ann"`, `household:  > completed: members={"age":"31"} name="Ann"`)
	f("opnform", `contact-us:  > completed: 5f1b6d0a-1111-4c0e-9f00-000000000001="Ann" 5f1b6d0a-1111-4c0e-9f00-000000000002="Prices"`)
	f("otree", `trust: 1 > 2: age="31"`, `trust: 2 > completed: age="31" sent="40" sure="3"`)
	f("surveyjs", `f00:  > completed: name="Ann" stars=4`)
	f("typebot", `lead-bot: blk_name > blk_smoke: blk_name="Ann"`, `lead-bot: blk_smoke > completed: blk_name="Ann" blk_smoke="No"`)
}

// told is an event in a line: survey, page left, page reached or outcome, answers.
func told(event gjson.Result) string {
	to := event.Get("to.id").String()
	if event.Get("completed").Bool() {
		to = event.Get("outcome").String()
	}
	if event.Get("partial").Bool() {
		to += ", partial"
	}
	words := []string{event.Get("survey.id").String() + ": " + event.Get("from.id").String() + " > " + to + ":"}
	for _, response := range event.Get("responses").Array() {
		words = append(words, response.Get("item").String()+"="+response.Get("response").Raw)
	}
	return strings.Join(words, " ")
}

func TestTheDefinitionsOfAWholeSurveyDescribeItsAnswers(t *testing.T) {
	f := func(app, item, want string) {
		t.Helper()
		har, err := os.ReadFile("testdata/apps/" + app + ".har")
		if err != nil {
			t.Fatal(err)
		}
		events := tryApp(t, app, har)
		got := events[len(events)-1].Get(`responses.#(item=="` + item + `")`).Get("[question,type,page]").Raw
		if got != want {
			t.Errorf("%s: %s, want %s", app, got, want)
		}
	}
	f("opnform", "5f1b6d0a-1111-4c0e-9f00-000000000002", `["Topic","select",null]`)
	f("heyform", "fb", `["Stars?","rating",null]`)
	f("formulosity", "q2", `["Stars?","rating",null]`)
	f("endatix", "stars", `[null,"rating",null]`) // it has no title
}
