package trial

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/config"
)

// harOf makes a HAR file of entries.
func harOf(entries ...string) string {
	return `{"log":{"version":"1.2","entries":[` + strings.Join(entries, ",") + `]}}`
}

// entryWith makes an entry of fields of its request and its response.
func entryWith(request, response string) string {
	return fmt.Sprintf(`{"startedDateTime":"2026-03-02T09:15:00.000Z","time":5,"request":{"method":"POST","url":"https://a.example.org/b",%s},"response":{"status":200,%s}}`,
		strings.TrimSuffix(request+`,"headers":[]`, ","), strings.TrimSuffix(response+`,"headers":[]`, ","))
}

func TestBodiesAreReadAsEachBrowserWritesThem(t *testing.T) {
	f := func(entry, wantRequest, wantResponse string) {
		t.Helper()
		recorded, omitted, err := ReadHAR(strings.NewReader(harOf(entry)))
		if err != nil || len(omitted) > 0 || len(recorded) != 1 {
			t.Errorf("%s: %d exchanges, omitted %v, %v", entry, len(recorded), omitted, err)
			return
		}
		got := [2]string{
			string(recorded[0].Exchange.RequestBody) + recorded[0].LacksRequest,
			string(recorded[0].Exchange.ResponseBody) + recorded[0].LacksResponse,
		}
		for i, want := range [2]string{wantRequest, wantResponse} {
			if got[i] != want && (want == "" || !strings.Contains(got[i], want)) {
				t.Errorf("%s: body %q, want %q", entry, got[i], want)
			}
		}
	}
	none := `"content":{"size":0}`
	// requests
	f(entryWith(`"bodySize":0`, none), "", "")
	f(entryWith(`"bodySize":-1`, none), "", "")
	f(entryWith(`"bodySize":7`, none), "has no request body", "")
	f(entryWith(`"postData":{"text":"{\"a\":1}"}`, none), `{"a":1}`, "")
	f(entryWith(`"postData":{"text":"eyJhIjoxfQ==","encoding":"base64"}`, none), `{"a":1}`, "")
	f(entryWith(`"postData":{"text":""}`, none), "", "")
	f(entryWith(`"postData":{"params":[{"name":"a","value":"1"}]}`, none), "form's fields", "")
	// responses
	f(entryWith(`"bodySize":0`, `"content":{"size":7,"text":"{\"b\":2}"}`), "", `{"b":2}`)
	f(entryWith(`"bodySize":0`, `"content":{"size":7,"text":"eyJiIjoyfQ==","encoding":"base64"}`), "", `{"b":2}`)
	f(entryWith(`"bodySize":0`, `"content":{"size":7,"text":"{\"b\":2}","encoding":""}`), "", `{"b":2}`)
	f(entryWith(`"bodySize":0`, `"content":{"size":7}`), "", "has no response body")
	f(entryWith(`"bodySize":0`, `"content":{"size":7,"text":""}`), "", "has no response body")
	f(entryWith(`"bodySize":0`, `"content":{"size":-1,"text":""}`), "", "")
	f(entryWith(`"bodySize":0`, `"content":{"size":7,"text":"***","encoding":"base64"}`), "", "not the base64")
	f(entryWith(`"bodySize":0`, `"content":{}`), "", "")
	f(strings.Replace(entryWith(`"bodySize":0`, `"content":{"size":7}`), `"status":200`, `"status":204`, 1), "", "")
	f(strings.Replace(entryWith(`"bodySize":0`, `"content":{"size":7}`), `POST`, `HEAD`, 1), "", "")
}

func TestOddEntriesAreReadOrLeftOutWithAReason(t *testing.T) {
	f := func(entry, wantTarget, wantHost, wantOmitted string) {
		t.Helper()
		recorded, omitted, err := ReadHAR(strings.NewReader(harOf(entry)))
		if err != nil {
			t.Errorf("%s: %v", entry, err)
			return
		}
		got := []string{"", "", ""}
		if len(recorded) == 1 {
			got[0], got[1] = recorded[0].Target, recorded[0].Exchange.Host
		}
		if len(omitted) == 1 {
			got[2] = omitted[0].Why
		}
		if got[0] != wantTarget || got[1] != wantHost || !strings.Contains(got[2], wantOmitted) || (got[2] == "") != (wantOmitted == "") {
			t.Errorf("%s: got %q, want %q", entry, got, []string{wantTarget, wantHost, wantOmitted})
		}
	}
	at := func(url string) string {
		return fmt.Sprintf(`{"startedDateTime":"2026-03-02T09:15:00Z","request":{"method":"GET","url":%q},"response":{"status":200}}`, url)
	}
	f(at("https://a.example.org:8443/b/c%2Fd?e=f#g"), "/b/c%2Fd?e=f", "a.example.org:8443", "")
	f(at("HTTP://a.example.org"), "/", "a.example.org", "")
	f(at("http://a.example.org?b"), "/?b", "a.example.org", "")
	f(at("/b"), "/b", "", "")
	f(at("data:image/png;base64,abc"), "", "", "not one of http")
	f(at("blob:https://a.example.org/b"), "", "", "not one of http")
	f(at("wss://a.example.org/b"), "", "", "not one of http")
	f(at("chrome-extension://a/b.js"), "", "", "not one of http")
	f(at("about:blank"), "", "", "not one of http")
	f(at(""), "", "", "not one of http")
	f(`{}`, "", "", "not one of http")
	f(`{"request":7}`, "", "", "not one of http")
	f(`7`, "", "", "not one of http")
	// odd fields are no reason to leave an exchange out
	f(`{"startedDateTime":"once upon a time","time":"long","request":{"method":"GET","url":"http://a/b"},"response":{"status":-1}}`, "/b", "a", "")
	f(`{"time":null,"request":{"method":"GET","url":"http://a/b","postData":null},"response":{"status":null,"content":null}}`, "/b", "a", "")
}

func TestPseudoHeadersAreNoHeadersAndNamesHaveAnyCase(t *testing.T) {
	entry := `{"startedDateTime":"2026-03-02T10:15:00+01:00","time":1500.5,"request":{"method":"GET","url":"/b",
		"headers":[{"name":":path","value":"/b"},{"name":"host","value":"a.example.org"},{"name":"TraceParent","value":"00-1"}]},
		"response":{"status":200,"headers":[{"name":"content-type","value":"application/json"}]}}`
	recorded, _, err := ReadHAR(strings.NewReader("\xef\xbb\xbf" + harOf(entry)))
	if err != nil {
		t.Fatal(err)
	}
	start := time.Date(2026, 3, 2, 9, 15, 0, 0, time.UTC)
	want := Recorded{
		Entry: 1, Method: "GET", Target: "/b", Start: start, End: start.Add(1500*time.Millisecond + 500*time.Microsecond),
		Exchange: rules.Exchange{
			Host: "a.example.org", Traceparent: "00-1", Status: 200, ContentType: "application/json",
			RequestHeader:  []rules.HeaderField{{Name: "host", Value: "a.example.org"}, {Name: "TraceParent", Value: "00-1"}},
			ResponseHeader: []rules.HeaderField{{Name: "content-type", Value: "application/json"}},
		},
	}
	if diff := cmp.Diff(want, recorded[0]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTheErrorOfAFileThatIsNotHARSaysWhy(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		_, _, err := ReadHAR(strings.NewReader(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	f("", "it is not JSON: line 1")
	f("<html>", "it is not JSON: line 1")
	f("{\n\"log\": {\n\"entries\": [}}", "it is not JSON: line 3")
	f("{\"log\": {\"entries\": [", "it is not JSON")
	f("{}", "no log.entries")
	f(`{"log":{}}`, "no log.entries")
	f(`{"log":7}`, "no log.entries")
	f(`[1]`, "no log.entries")
	f(`{"log":{"entries":[]}}`, "has no entries")
}

// Whatever the file, reading and trying it ends, and never panics.
func FuzzReadHAR(f *testing.F) {
	profile, err := rules.LoadProfile("decsys")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(harOf(entryWith(`"bodySize":7`, `"content":{"size":7}`)))
	f.Add(harOf(`{"request":{"method":"GET","url":"http://a/api/progress/5/3/p"},"response":{"status":200,"content":{"mimeType":"application/json","text":"{\"page\":{\"id\":1}}"}}}`))
	cfg := &config.Config{Rules: []config.Rule{{When: "from", To: []string{"crm"}}}}
	f.Fuzz(func(t *testing.T, text string) {
		recorded, omitted, err := ReadHAR(strings.NewReader(text))
		if err != nil {
			return
		}
		report := Run(Options{Profile: profile, Config: cfg, Preview: sendNothing}, recorded, omitted)
		if err := report.WriteText(&strings.Builder{}); err != nil {
			t.Fatal(err)
		}
	})
}

func TestHARWithTooManyEntriesIsRefused(t *testing.T) {
	file := `{"log":{"entries":[` + strings.Repeat("1,", maxEntries) + `1]}}`
	if _, _, err := ReadHAR(strings.NewReader(file)); !errors.Is(err, errEntries) {
		t.Errorf("%v, want %v", err, errEntries)
	}
}
