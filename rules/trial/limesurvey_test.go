package trial

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"

	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/config"
)

// truth is what was done in a session of LimeSurvey, and what its database had then.
type truth struct {
	PagesReached []string `json:"pages_reached"`
	Responses    []struct {
		SID       json.Number
		ID        int
		Submitted bool
		Answers   map[string]string
		Null      []string
	}
}

// question is one of a survey, as its author wrote it.
type question struct{ Code, SGQA, Type string }

func readZipped(t testing.TB, name string) []byte {
	t.Helper()
	file, err := os.Open(filepath.Join("testdata/limesurvey", name))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(unzipped)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func parseJSON[T any](t *testing.T, source []byte) (value T) {
	t.Helper()
	if err := json.Unmarshal(source, &value); err != nil {
		t.Fatal(err)
	}
	return value
}

// tryApp returns the data of the events of a HAR file, in their order.
func tryApp(t *testing.T, profile string, har []byte) (events []gjson.Result) {
	t.Helper()
	p, err := rules.LoadProfile(profile)
	if err != nil {
		t.Fatal(err)
	}
	recorded, omitted, err := ReadHAR(bytes.NewReader(har))
	if err != nil || len(omitted) > 0 {
		t.Fatal(err, omitted)
	}
	report := Run(Options{Profile: p, Config: &config.Config{}, Preview: sendNothing}, recorded, nil)
	for _, exchange := range report.Exchanges {
		for _, event := range exchange.Events {
			events = append(events, gjson.ParseBytes(event.Data))
		}
	}
	return events
}

// sessions calls f with each session of LimeSurvey.
func sessions(t *testing.T, f func(t *testing.T, events []gjson.Result, want truth)) {
	t.Helper()
	files, err := filepath.Glob("testdata/limesurvey/*.har.gz")
	if err != nil || len(files) < 24 {
		t.Fatalf("%d sessions, %v", len(files), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".har.gz")
		t.Run(name, func(t *testing.T) {
			events := tryApp(t, "limesurvey", readZipped(t, name+".har.gz"))
			f(t, events, parseJSON[truth](t, readZipped(t, name+".truth.json.gz")))
		})
	}
}

func TestLimeSurveysPagesAreReachedInTheirOrder(t *testing.T) {
	sessions(t, func(t *testing.T, events []gjson.Result, want truth) {
		got := map[string][]string{} // by survey
		for _, event := range events {
			survey := event.Get("survey.id").String()
			got[survey] = append(got[survey], reached(event))
		}
		if diff := gocmp.Diff(want.pages(), got); diff != "" {
			t.Errorf("(-truth +events):\n%s", diff)
		}
	})
}

// reached is what an event led to, as truth has it.
func reached(event gjson.Result) string {
	switch {
	case event.Get("outcome").String() == "screened_out":
		return "quota"
	case event.Get("completed").Bool():
		return "completed"
	}
	return event.Get("to.number").String() + ": " + event.Get("to.name").String()
}

var inSurvey = regexp.MustCompile(`^(.*) \[(\d+)\]$`)

// pages returns what was reached in each survey, each once: pages that are shown
// again, and others than those of the survey, are no navigation. The welcome page is
// where an attempt begins.
func (w *truth) pages() map[string][]string {
	pages := map[string][]string{}
	for _, page := range w.PagesReached {
		survey := ""
		if len(w.Responses) > 0 {
			survey = w.Responses[0].SID.String()
		}
		if match := inSurvey.FindStringSubmatch(page); match != nil {
			page, survey = match[1], match[2]
		}
		list := pages[survey]
		if page == "welcome" || page == "other page" || len(list) > 0 && list[len(list)-1] == page {
			continue
		}
		pages[survey] = append(list, page)
	}
	for _, response := range w.Responses {
		survey := response.SID.String()
		list := pages[survey]
		if response.Submitted && list[len(list)-1] != "completed" { // its end is an address elsewhere
			pages[survey] = append(list, "completed")
		}
	}
	return pages
}

func TestLimeSurveysAnswersAreThoseOfItsDatabase(t *testing.T) {
	surveys := parseJSON[map[string]struct {
		Groups []struct{ Questions []question }
	}](t, readZipped(t, "surveys.json.gz"))
	compared := 0
	sessions(t, func(t *testing.T, events []gjson.Result, want truth) {
		ends := map[string][]gjson.Result{} // by survey
		for _, event := range events {
			if event.Get("outcome").String() == "completed" {
				survey := event.Get("survey.id").String()
				ends[survey] = append(ends[survey], event)
			}
		}
		for _, row := range want.Responses {
			if !row.Submitted {
				continue
			}
			list := ends[row.SID.String()]
			if len(list) == 0 {
				t.Fatalf("response %d has no completion", row.ID)
			}
			end := list[0]
			if len(want.Responses) == 1 { // which was maybe edited after its end
				end = list[len(list)-1]
			} else {
				ends[row.SID.String()] = list[1:]
			}
			if end.Get("partial").Bool() {
				t.Error("the completion is partial")
			}
			for code := range row.Answers {
				for _, group := range surveys[row.SID.String()].Groups {
					compared += compareAnswer(t, code, row.Answers[code], group.Questions, end)
				}
			}
		}
	})
	if compared < 300 {
		t.Errorf("only %d answers were compared", compared)
	}
}

// compareAnswer compares a column of the database with the response to its question.
func compareAnswer(t *testing.T, column, stored string, questions []question, end gjson.Result) int {
	t.Helper()
	code, sub, _ := strings.Cut(strings.TrimSuffix(column, "]"), "[")
	for _, q := range questions {
		if q.Code != code || q.Type == "*" || sub == "_filecount" { // equations are the server's own
			continue
		}
		var given string
		for _, response := range end.Get("responses").Array() {
			if response.Get("item").String() == q.SGQA+sub {
				given = response.Get("response").String()
			}
		}
		switch q.Type {
		case "N", "K":
			given, stored = decimal(given), decimal(stored)
		case "D":
			stored, _, _ = strings.Cut(stored, " ")
		case "|":
			given, stored = gjson.Get(given, "#.title").Raw, gjson.Get(stored, "#.title").Raw
		}
		if given != stored {
			t.Errorf("%s is %q, but %q is stored", column, given, stored)
		}
		return 1
	}
	return 0
}

// decimal writes a number as the database has it, or a text as it is.
func decimal(text string) string {
	number, err := strconv.ParseFloat(strings.ReplaceAll(text, ",", "."), 64)
	if err != nil {
		return text
	}
	return cmp.Or(strconv.FormatFloat(number, 'f', 10, 64), text)
}

func TestLimeSurveysQuestionsAndOptionsHaveTheirTexts(t *testing.T) {
	events := tryApp(t, "limesurvey", readZipped(t, "a-full.har.gz"))
	end := events[len(events)-1]
	mode := end.Get(`responses.#(item=="417301X13X438")`)
	want := `["How do you usually travel?","BUS","By bus or tram",1,"You and your way",false]`
	if got := mode.Get(`[question,response,label,page,page_name,optional]`).Raw; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
