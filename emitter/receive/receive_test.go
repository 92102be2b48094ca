package receive

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/emitter/send"
	"github.com/sidehook/sidehook/rules/config"
)

const (
	key    = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	secret = "whsec_" + key
	body   = `{"type": "survey.completed", "timestamp": "2026-11-24T12:00:00.000Z", "data": {"from": {"name": "Remarks", "number": 2}, "to": null}}`
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// webhook returns the headers of a webhook that a Sender sent with these secrets.
func webhook(t *testing.T, format config.Format, sent string, secrets ...string) http.Header {
	t.Helper()
	var got http.Header
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header.Clone() }))
	defer server.Close()
	address, err := config.ParseURL(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	target := config.Target{URL: address, Format: format, Timeout: config.Duration(10 * time.Second), Allow: config.Allowed{{Class: config.Loopback}}}
	for _, text := range secrets {
		target.Secret = append(target.Secret, config.NewSecret(text))
	}
	sender, err := send.New(send.Options{Name: "crm", Target: target, Version: "test", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer sender.Close()
	if result := sender.Send(t.Context(), &outbox.Delivery{ID: "msg_1", Body: []byte(sent)}, noon); result.Outcome != send.Delivered {
		t.Fatalf("not sent: %+v", result)
	}
	return got
}

func TestWhatIsSentVerifies(t *testing.T) {
	private := config.NewSecret("whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbc=")
	f := func(format config.Format, verifiedWith string, secrets ...string) {
		t.Helper()
		if err := Verify(webhook(t, format, body, secrets...), []byte(body), config.NewSecret(verifiedWith), noon.Add(time.Minute)); err != nil {
			t.Errorf("%s, %d secrets: %v", format, len(secrets), err)
		}
	}
	f(config.FormatStandard, secret, secret)
	f(config.FormatStandard, secret, "another secret", secret)
	f(config.FormatDecsys, "any text", "any text")
	f(config.FormatStandard, private.PublicKey(), private.Reveal())
	f(config.FormatStandard, private.Reveal(), private.Reveal())
}

func TestMismatchIsExplained(t *testing.T) {
	sign := func(signingKey []byte, content string) func(http.Header) {
		return func(h http.Header) {
			h.Set(headerSignature, "v1,"+base64.StdEncoding.EncodeToString(mac(signingKey, []byte("msg_1."+h.Get(headerTimestamp)+"."+content))))
			h.Del(headerDecsys)
		}
	}
	decoded, err := base64.StdEncoding.DecodeString(key)
	if err != nil {
		t.Fatal(err)
	}
	f := func(name, want, verifiedWith string, received string, edit func(http.Header)) {
		t.Helper()
		header := webhook(t, config.FormatDecsys, body, secret)
		if edit != nil {
			edit(header)
		}
		err := Verify(header, []byte(received), config.NewSecret(verifiedWith), noon)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
	f("another secret", "made with another secret", "whsec_"+base64.StdEncoding.EncodeToString(make([]byte, 24)), body, nil)
	f("the text as key", "signed with the text of the secret", secret, body, sign([]byte(secret), body))
	f("the base64 as key", "signed with the base64 after whsec_ as text", secret, body, sign([]byte(key), body))
	f("a secret without its prefix", "write the secret with whsec_ before it", key, body, sign(decoded, body))
	f("blanks around the secret", "without the blanks", "text of a secret \n", body, sign([]byte("text of a secret"), body))
	f("JSON parsed and written again", "as JSON without blanks", secret, body, sign(decoded, strings.ReplaceAll(strings.ReplaceAll(body, ": ", ":"), ", ", ",")))
	f("a body with a line break more", "without the blanks around it", secret, body+"\n", nil)
	f("an id that was changed", "X-Decsys-Signature matches", secret, body, func(h http.Header) { h.Set(headerID, "msg_2") })
	f("no id", "webhook-id is missing", secret, body, func(h http.Header) { h.Del(headerID) })
	f("no timestamp", "webhook-timestamp is missing", secret, body, func(h http.Header) { h.Del(headerTimestamp) })
	f("no signature", "it has no signature", secret, body, func(h http.Header) { h.Del(headerSignature); h.Del(headerDecsys) })
	f("Decsys' own, of another secret", "X-Decsys-Signature does not match", "another", body, func(h http.Header) { h.Del(headerSignature) })
	f("a timestamp that is none", "not a number of seconds", secret, body, func(h http.Header) {
		h.Set(headerTimestamp, "noon")
		sign(decoded, body)(h)
	})
	for age, want := range map[time.Duration]string{6 * time.Minute: "6m0s old", -6 * time.Minute: "6m0s ahead"} {
		if err := Verify(webhook(t, config.FormatStandard, body, secret), []byte(body), config.NewSecret(secret), noon.Add(age)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", age, err, want)
		}
	}
}

func TestEachFormatHasASummary(t *testing.T) {
	f := func(body, event, way string) {
		t.Helper()
		got := Summarise([]byte(body))
		if got.Event != event || got.Way != way || event != "" && !got.At.Equal(noon) {
			t.Errorf("%s: %+v, want %s, %s", body, got, event, way)
		}
	}
	f(body, "completion", "Remarks → end")
	f(`{"type":"survey.page_navigated","timestamp":"2026-11-24T12:00:00Z","data":{"from":{"name":null,"number":1},"to":{"name":"Mode"}}}`, "page_navigation", "page 1 → Mode")
	f(`{"type":"survey.abandoned","timestamp":"2026-11-24T12:00:00Z","data":{"from":{"name":"Mode"},"to":null}}`, "abandoned", "Mode")
	f(`{"type":"io.github.sidehook.survey.completed","time":"2026-11-24T12:00:00Z","data":{"from":{},"to":null}}`, "completion", "? → end")
	f(`{"Timestamp":"2026-11-24T12:00:00+00:00","EventType":{"SourcePage":2,"ResolvedPage":3,"Name":"PAGE_NAVIGATION"}}`, "page_navigation", "page 2 → 3")
	f(`{"a":1}`, "", "")
	f(`not JSON`, "", "")
}

// receive has a receiver receive a webhook, and returns its answer and what it printed.
func receive(t *testing.T, r *Receiver, header http.Header, body string) (response *http.Response, answer, printed string) {
	t.Helper()
	var out bytes.Buffer
	r.Out, r.Now = &out, func() time.Time { return noon.Add(12 * time.Millisecond) }
	server := httptest.NewServer(r)
	defer server.Close()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header = header
	response, err = http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(text), out.String()
}

func TestWebhookIsPrintedOnALine(t *testing.T) {
	header := webhook(t, config.FormatStandard, body, secret)
	f := func(name string, r *Receiver, edit func(http.Header), wantStatus int, want string) {
		t.Helper()
		sent := header.Clone()
		if edit != nil {
			edit(sent)
		}
		response, _, printed := receive(t, r, sent, body)
		if response.StatusCode != wantStatus || printed != want {
			t.Errorf("%s: status %d and %q, want %d and %q", name, response.StatusCode, printed, wantStatus, want)
		}
	}
	right := config.NewSecret(secret)
	f("verified", &Receiver{Secret: right}, nil, 204, "✓ completion · Remarks → end · verified · 12 ms\n")
	f("a test", &Receiver{Secret: right}, func(h http.Header) { h.Set("webhook-test", "true") }, 204, "✓ completion · Remarks → end · verified · 12 ms · a test\n")
	f("an answer of one's own", &Receiver{Secret: right, Answer: 500}, nil, 500, "✓ completion · Remarks → end · verified · 12 ms\n")
	f("not verified", &Receiver{Secret: config.NewSecret("another")}, nil, 401, "✗ completion · Remarks → end · not verified: "+errNoMatch.Error()+" · 12 ms\n")
}

func TestBodiesArePrintedInert(t *testing.T) {
	const hostile = `{"type":"survey.completed","data":{"from":{"name":"\u001b[2J"},"x":"` + "\x1b[2J" + `"}}`
	_, _, printed := receive(t, &Receiver{Secret: config.NewSecret(secret), HasBodies: true}, webhook(t, config.FormatStandard, hostile, secret), hostile)
	if strings.Contains(printed, "\x1b") || !strings.Contains(printed, `\u001b[2J`) {
		t.Errorf("printed %q", printed)
	}
}

func TestWebhookIsForwardedAsItCame(t *testing.T) {
	var got string
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		content, _ := io.ReadAll(r.Body)
		got = fmt.Sprint(r.Method, " ", Verify(r.Header, content, config.NewSecret(secret), noon), " ", string(content))
		w.Header().Set("Retry-After", "7")
		http.Error(w, "an answer", http.StatusTeapot)
	}))
	defer target.Close()
	address, err := url.Parse(target.URL)
	if err != nil {
		t.Fatal(err)
	}
	header := webhook(t, config.FormatStandard, body, secret)
	response, answer, _ := receive(t, &Receiver{Secret: config.NewSecret(secret), Forward: address}, header, body)
	if want := "POST <nil> " + body; got != want || response.StatusCode != http.StatusTeapot || answer != "an answer\n" || response.Header.Get("Retry-After") != "7" {
		t.Errorf("forwarded %q, answered %d %v %q", got, response.StatusCode, response.Header, answer)
	}
	target.Close()
	response, _, printed := receive(t, &Receiver{Secret: config.NewSecret(secret), Forward: address}, header, body)
	if response.StatusCode != http.StatusBadGateway || !strings.Contains(printed, "not forwarded: ") {
		t.Errorf("to nobody: status %d, printed %q", response.StatusCode, printed)
	}
}

func TestWhatIsNoWebhookIsRefused(t *testing.T) {
	f := func(name string, status int, header http.Header, body string) {
		t.Helper()
		if response, _, printed := receive(t, &Receiver{Secret: config.NewSecret(secret)}, header, body); response.StatusCode != status || strings.Contains(printed, "verified") {
			t.Errorf("%s: status %d, want %d; printed %q", name, response.StatusCode, status, printed)
		}
	}
	f("a page of a browser", http.StatusForbidden, http.Header{"Origin": {"http://evil.example.org"}}, body)
	f("too long a body", http.StatusRequestEntityTooLarge, http.Header{}, strings.Repeat("x", maxBody+1))
}
