package record

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/config"
)

// oddProfile reads answers from where they may be missing.
const oddProfile = "../../rules/trial/testdata/pulse.yaml"

// FuzzBodyIsJSON makes sure that whatever a participant and the app send, the body
// of every webhook is JSON in UTF-8, in each format.
func FuzzBodyIsJSON(f *testing.F) {
	for _, answer := range []string{
		`{"text":"one"}`, `{}`, `{"value":"tea","value":"coffee"}`, "{\"text\":\"caf\xe9\"}", `{"value":"\ud800"}`, "\xff\xfe1\x00", "\xef\xbb\xbf1", "", "]", `"\u2028"`,
	} {
		f.Add(answer, `{"page":{"id":"two","order":2,"name":"x","components":[]},"pageCount":2}`)
	}
	f.Add(`1`, `{"page":{"id":"t`+"\xc3"+`","order":1e99,"name":"\udc00","components":[{"id":"\u0000","type":"x"}]},"pageCount":-1}`)
	f.Add(`1`, `{"page":null,"page":{"id":"x"}}`)
	f.Fuzz(func(t *testing.T, answer, shown string) {
		for _, profile := range []string{"decsys", oddProfile} {
			checkBodies(t, profile, answer, shown)
		}
	})
}

// checkBodies lets a participant answer, navigate and complete the survey, and
// checks every body that this gives.
func checkBodies(t *testing.T, profile, answer, shown string) {
	t.Helper()
	loaded, err := rules.LoadProfile(profile)
	if err != nil {
		t.Fatal(err)
	}
	d := newTestRecorderOf(t, memoryDir(t), loaded)
	defer d.stop()
	targets := map[string]config.Target{}
	for _, format := range []config.Format{config.FormatDecsys, config.FormatStandard, config.FormatCloudEvents} {
		targets[string(format)] = config.Target{Format: format}
	}
	d.Apply(&config.Config{Targets: targets, Rules: []config.Rule{{To: []string{"decsys", "standard", "cloudevents"}}}})
	say := func(method, target string, x rules.Exchange) {
		if end := d.Begin([]byte(method), []byte(target)); end != nil {
			end(x)
		}
	}
	const isJSON = "application/json; charset=utf-8"
	ok := rules.Exchange{Status: 200, ContentType: isJSON, RequestBody: []byte(answer), ResponseBody: []byte(shown)}
	stored := rules.Exchange{Status: 204, RequestBody: []byte(answer)}
	say("GET", "/api/progress/5/3/p", page(showPage1))
	say("POST", "/api/log/3/p/i1/decsys.platform.COMPONENT_RESULTS", stored)
	say("POST", "/api/progress/5/3/p/next", ok)
	say("POST", "/api/progress/5/3/p/next", page(showPage2))
	say("POST", "/api/progress/5/3/p/next", page(`{"page":null}`))
	ok.ResponseBody = []byte(strings.ReplaceAll(shown, "page", "step"))
	say("GET", "/v2/forms/breakfast/visitors/v-1", page(`{"step":{"key":"a","index":1,"fields":[{"id":"f0","kind":"text"}]},"steps":2}`))
	say("PUT", "/v2/forms/breakfast/visitors/v-1/fields/f0", ok)
	say("POST", "/v2/forms/breakfast/visitors/v-1/forward", ok)
	say("POST", "/v2/forms/breakfast/visitors/v-1/forward", page(`{"step":null}`))
	d.flush()
	listed, _, err := d.store.List(outbox.Query{States: []outbox.State{outbox.Waiting, outbox.Behind}, Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range listed {
		delivery, err := d.store.Load(one.Seq)
		if err != nil {
			t.Fatal(err)
		}
		if !json.Valid(delivery.Body) || !utf8.Valid(delivery.Body) {
			t.Errorf("%s, answer %q, page %q: the body for %s is %q", profile, answer, shown, one.Target, delivery.Body)
		}
	}
	if len(listed) < 3 {
		t.Errorf("answer %q, page %q: there are %d webhooks, want one for each format at least", answer, shown, len(listed))
	}
}
