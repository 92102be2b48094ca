package record

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/config"
)

// skippedComfort is the event of a participant who has just skipped an optional
// page, the second that they saw and the third of the survey.
func skippedComfort(t *testing.T) *rules.Event {
	t.Helper()
	at := func(text string) time.Time {
		instant, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			t.Fatal(err)
		}
		return instant
	}
	consent, comfort := "# About this study\nWe ask about your commute.", "How comfortable was your journey?"
	one := rules.PageRef{ID: "11111111-aaaa-4aaa-8aaa-000000000001", Number: 1, Position: 1, Name: new("Consent")}
	three := rules.PageRef{ID: "11111111-aaaa-4aaa-8aaa-000000000003", Number: 3, Position: 2, Name: new("Comfort")}
	return &rules.Event{
		Place:       2,
		At:          at("2025-03-04T10:16:02.4810377+01:00"),
		Survey:      rules.Survey{ID: "5", Instance: "3", FriendlyID: "fzd"},
		Participant: rules.Participant{ID: "2f0c3b1e-6a53-4c0e-9a44-7d2c9b5d1e10", Started: at("2025-03-04T09:14:10.1181204Z")},
		From:        three,
		To:          &rules.PageRef{ID: "11111111-aaaa-4aaa-8aaa-000000000002", Number: 2, Position: 3, Name: new("Mode")},
		PageCount:   4,
		Responses: []rules.Response{
			{
				Page: one, Item: "agree", Question: &consent, Type: new("Confirmation"), Answer: []byte(`{"confirmed":true}`),
				PageLoaded: at("2025-03-04T09:14:10.1181204Z"), Recorded: at("2025-03-04T09:14:31.902344Z"),
			},
			{Page: three, Item: "comfort", Question: &comfort, Type: new("Ellipse Scale"), Optional: true, PageLoaded: at("2025-03-04T09:14:33.07Z")},
		},
	}
}

// aboutSkipped is the envelope of its webhooks.
var aboutSkipped = envelope{id: "evt_1", rule: "comfort"}

func TestFormatDecsysIsTheBodyOfDecsysByteForByte(t *testing.T) {
	want, err := os.ReadFile("testdata/decsys-webhook.json")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(decsysBody(envelope{}, skippedComfort(t)))); diff != "" {
		t.Errorf("body (-Decsys +sidehook):\n%s", diff)
	}
}

func TestFormatStandardHasWhatDecsysLeavesOut(t *testing.T) {
	const want = `{"type":"survey.page_navigated","timestamp":"2025-03-04T09:16:02.481Z","rule":"comfort","data":{` +
		`"survey":{"id":"5","instance":"3","friendly_id":"fzd","study":null},` +
		`"participant":{"id":"2f0c3b1e-6a53-4c0e-9a44-7d2c9b5d1e10","started":"2025-03-04T09:14:10.118Z"},` +
		`"from":{"id":"11111111-aaaa-4aaa-8aaa-000000000003","number":3,"position":2,"name":"Comfort"},` +
		`"to":{"id":"11111111-aaaa-4aaa-8aaa-000000000002","number":2,"position":3,"name":"Mode"},` +
		`"completed":false,"outcome":null,"recovered":false,"partial":false,"page_count":4,"responses":[` +
		`{"page":1,"page_name":"Consent","position":1,"item":"agree","question":"# About this study\nWe ask about your commute.","type":"Confirmation","optional":false,` +
		`"state":"answered","response":{"confirmed":true},"label":null,"page_loaded":"2025-03-04T09:14:10.118Z","recorded":"2025-03-04T09:14:31.902Z"},` +
		`{"page":3,"page_name":"Comfort","position":2,"item":"comfort","question":"How comfortable was your journey?","type":"Ellipse Scale","optional":true,` +
		`"state":"skipped","response":null,"label":null,"page_loaded":"2025-03-04T09:14:33.070Z","recorded":null}]}}`
	if diff := cmp.Diff(want, string(standardBody(aboutSkipped, skippedComfort(t)))); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}
}

func TestACompletionHasItsOwnType(t *testing.T) {
	event := skippedComfort(t)
	event.To = nil
	var body struct {
		Type string
		Data struct {
			To        any
			Completed bool
		}
	}
	if err := json.Unmarshal(standardBody(aboutSkipped, event), &body); err != nil {
		t.Fatal(err)
	}
	if body.Type != "survey.completed" || body.Data.To != nil || !body.Data.Completed {
		t.Errorf("got %+v, want survey.completed, to null, completed true", body)
	}
}

func TestFormatCloudEventsHasTheDataOfStandard(t *testing.T) {
	f := func(event *rules.Event, wantType string) {
		t.Helper()
		var standard, cloud map[string]json.RawMessage
		if err := json.Unmarshal(standardBody(aboutSkipped, event), &standard); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(cloudEventBody(aboutSkipped, event), &cloud); err != nil {
			t.Fatal(err)
		}
		want := map[string]json.RawMessage{
			"specversion":     json.RawMessage(`"1.0"`),
			"type":            json.RawMessage(wantType),
			"source":          json.RawMessage(`"/surveys/5/3"`),
			"subject":         json.RawMessage(`"fzd"`),
			"id":              json.RawMessage(`"evt_1"`),
			"time":            standard["timestamp"],
			"rule":            standard["rule"],
			"datacontenttype": json.RawMessage(`"application/json"`),
			"data":            standard["data"],
		}
		if diff := cmp.Diff(want, cloud); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	event := skippedComfort(t)
	f(event, `"io.github.sidehook.survey.page_navigated"`)
	event.To = nil
	f(event, `"io.github.sidehook.survey.completed"`)
}

func TestAttributesOfACloudEventNameNoParticipant(t *testing.T) {
	event := skippedComfort(t)
	attributes, _, _ := strings.Cut(string(cloudEventBody(aboutSkipped, event)), `"data":`)
	if strings.Contains(attributes, event.Participant.ID) {
		t.Errorf("the attributes are %s", attributes)
	}
}

// Whatever a participant or author wrote, a body is JSON.
func FuzzFormats(f *testing.F) {
	f.Add("id\x00", "\u2028\"", "Ä\xff")
	f.Fuzz(func(t *testing.T, participant, page, question string) {
		event := &rules.Event{
			Participant: rules.Participant{ID: participant},
			From:        rules.PageRef{ID: "a", Name: &page},
			Responses:   []rules.Response{{Page: rules.PageRef{Name: &page}, Question: &question, Type: &page}},
		}
		for name, format := range formats {
			if !json.Valid(format.body(envelope{id: participant, rule: page}, event)) {
				t.Errorf("format %s is no JSON for %q, %q, %q", name, participant, page, question)
			}
		}
	})
}

func TestEachFormatHasItsContentType(t *testing.T) {
	f := func(format config.Format, want string) {
		t.Helper()
		if got := formats[format].contentType; got != want {
			t.Errorf("%s has %q, want %q", format, got, want)
		}
	}
	f(config.FormatDecsys, "application/json; charset=utf-8")
	f(config.FormatStandard, "application/json")
	f(config.FormatCloudEvents, "application/cloudevents+json; charset=utf-8")
}
