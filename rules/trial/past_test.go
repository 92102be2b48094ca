package trial

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/config"
)

func TestAPastIsReadFromTheFile(t *testing.T) {
	profile, err := rules.LoadProfile("decsys")
	if err != nil {
		t.Fatal(err)
	}
	at := func(second int, method, path, body string) string {
		return fmt.Sprintf(`{"startedDateTime":"2026-03-02T09:15:%02dZ","time":1,"request":{"method":%q,"url":"http://a%s"},`+
			`"response":{"status":200,"content":{"mimeType":"application/json","text":%q}}}`, second, method, path, body)
	}
	const ids = `"surveyId":5,"instanceId":3,"participantId":"a@b"`
	shown := at(2, "GET", "/api/progress/5/3/a%40b", `{`+ids+`,"page":{"id":"one","order":1,"components":[]}}`)
	completed := at(4, "POST", "/api/progress/5/3/a%40b/next", `{`+ids+`,"page":null}`)
	nothing := "[]"
	f := func(name string, partial bool, reads ...string) {
		t.Helper()
		recorded, omitted, err := ReadHAR(strings.NewReader(harOf(append(reads, shown, completed)...)))
		if err != nil {
			t.Fatal(err)
		}
		report := Run(Options{Profile: profile, Config: &config.Config{}, Preview: sendNothing}, recorded, omitted)
		events := report.Exchanges[1].Events
		if len(events) != 1 || gjson.GetBytes(events[0].Data, "partial").Bool() != partial {
			t.Errorf("%s: %d events, want 1 with partial %v", name, len(events), partial)
		}
	}
	f("it is not there", true)
	f("read before", false, at(1, "GET", "/api/log/3/a%40b", nothing))
	f("read after", false, at(5, "GET", "/api/log/3/a@b", nothing))
	f("with a query", false, at(5, "GET", "/api/log/3/a%40b?x=1", nothing))
	f("by another method", true, at(1, "POST", "/api/log/3/a%40b", nothing))
	f("of somebody else", true, at(1, "GET", "/api/log/3/b%40a", nothing))
	f("and is not JSON after all", true, at(1, "GET", "/api/log/3/a%40b", "["))
	f("without its body", true, strings.Replace(at(1, "GET", "/api/log/3/a%40b", nothing), `"text":"[]"`, `"size":2`, 1))
}
