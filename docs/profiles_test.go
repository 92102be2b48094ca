package docs

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"

	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/config"
	"github.com/sidehook/sidehook/rules/trial"
)

// Each example of the manual is a profile, a conversation, and the events of it.
func TestTheExamplesOfTheManualAreTrue(t *testing.T) {
	manual, err := os.ReadFile("profiles.md")
	if err != nil {
		t.Fatal(err)
	}
	examples := regexp.MustCompile("(?s)```yaml\n(.*?)```\n```http\n(.*?)```\n```text\n(.*?)```").FindAllSubmatch(manual, -1)
	if n := bytes.Count(manual, []byte("```yaml")); len(examples) != n || n == 0 {
		t.Fatalf("%d of %d profiles have a conversation and events", len(examples), n)
	}
	for _, example := range examples {
		profile, err := rules.ParseProfile("profiles.md", example[1])
		if err != nil {
			t.Errorf("%v\n%s", err, example[1])
			continue
		}
		report := trial.Run(trial.Options{Profile: profile, Config: &config.Config{}, Preview: nothing}, conversation(t, string(example[2])), nil)
		if diff := cmp.Diff(string(example[3]), events(report)); diff != "" {
			t.Errorf("%s(-manual +got):\n%s", example[1], diff)
		}
	}
}

func nothing(rules.Key, *rules.Event, func(target, rule, contentType string, body []byte)) {}

var headerLine = regexp.MustCompile(`^[A-Z][A-Za-z-]+: `)

// conversation reads lines that begin with > or <: of a request first method and
// target, of a response maybe the status; then header fields and a body.
func conversation(t *testing.T, text string) (recorded []trial.Recorded) {
	t.Helper()
	clock := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	for line := range strings.Lines(strings.TrimSpace(text)) {
		line = strings.TrimSpace(line)
		side, content := line[:2], line[2:]
		if method, target, ok := strings.Cut(content, " "); ok && side == "> " && strings.HasPrefix(target, "/") {
			clock = clock.Add(time.Second)
			recorded = append(recorded, trial.Recorded{
				Entry: len(recorded) + 1, Method: method, Target: target, Start: clock, End: clock.Add(time.Millisecond), Exchange: rules.Exchange{Status: 200},
			})
			continue
		}
		x := &recorded[len(recorded)-1].Exchange
		header, body, contentType := &x.RequestHeader, &x.RequestBody, &x.RequestType
		if side == "< " {
			header, body, contentType = &x.ResponseHeader, &x.ResponseBody, &x.ContentType
		}
		status, err := strconv.Atoi(content)
		switch {
		case err == nil:
			x.Status = status
		case strings.HasPrefix(content, "Content-Type: "):
			*contentType = strings.TrimPrefix(content, "Content-Type: ")
		case headerLine.MatchString(content):
			name, value, _ := strings.Cut(content, ": ")
			*header = append(*header, rules.HeaderField{Name: name, Value: value})
		default:
			*body = []byte(content)
			if *contentType == "" {
				*contentType = typeOf(content)
			}
		}
	}
	return recorded
}

// typeOf is the media type of a body that comes without one.
func typeOf(body string) string {
	switch body[0] {
	case '{':
		return "application/json"
	case '<':
		return "text/html"
	}
	return "application/x-www-form-urlencoded"
}

// events writes the events of a report, one per line.
func events(report *trial.Report) (text string) {
	for _, exchange := range report.Exchanges {
		for _, event := range exchange.Events {
			data := gjson.ParseBytes(event.Data)
			to := data.Get("to.id").String()
			if data.Get("completed").Bool() {
				to = data.Get("outcome").String()
			}
			if from := data.Get("from.id").String(); from != "" {
				to = from + " > " + to
			}
			text += to + ":"
			for _, response := range data.Get("responses").Array() {
				text += fmt.Sprintf(" %s=%s", response.Get("item"), response.Get("response").Raw)
			}
			text += "\n"
		}
	}
	return text
}
