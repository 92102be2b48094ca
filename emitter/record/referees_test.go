package record

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/emitter/send"
	"github.com/sidehook/sidehook/rules/config"
)

// refereesFolder is the environment variable with a copy of testdata/referees in
// which npm ci has been run.
const refereesFolder = "SIDEHOOK_REFEREES"

// sentAttempt is an attempt as it came over the socket, for verify.mjs.
type sentAttempt struct {
	Name       string            `json:"name"`
	Format     config.Format     `json:"format"`
	Secrets    []string          `json:"secrets"`
	PublicKeys []string          `json:"publicKeys"`
	Headers    map[string]string `json:"headers"`
	Body       []byte            `json:"body"`
	// Event is what a CloudEvent has to say, null for other formats.
	Event json.RawMessage `json:"event"`
}

func TestTheLibrariesOfReceiversTakeWhatIsSent(t *testing.T) {
	folder := os.Getenv(refereesFolder)
	if folder == "" {
		t.Skipf("%s is not set: see .ci/run", refereesFolder)
	}
	const first, second, private = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_plJ3nmyCDGBKInavdOK15jsl",
		"whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbc="
	attempts := []sentAttempt{
		capture(t, "standard", config.FormatStandard, first),
		capture(t, "standard, rotating", config.FormatStandard, first, "any other text", second),
		capture(t, "standard, with Ed25519", config.FormatStandard, private, first),
		capture(t, "decsys", config.FormatDecsys, first),
		capture(t, "decsys, a secret of plain text", config.FormatDecsys, "correct horse battery staple"),
		capture(t, "cloudevents", config.FormatCloudEvents, first),
	}
	input, err := json.Marshal(attempts)
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command("node", filepath.Join(folder, "verify.mjs"))
	command.Stdin = bytes.NewReader(input)
	output, err := command.CombinedOutput()
	t.Logf("\n%s", output)
	if err != nil {
		t.Error(err)
	}
}

// capture sends a real event in a format and returns what arrived.
func capture(t *testing.T, name string, format config.Format, secrets ...string) sentAttempt {
	t.Helper()
	sent := sentAttempt{Name: name, Format: format, Secrets: secrets, PublicKeys: []string{}, Headers: map[string]string{}}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		for name, values := range r.Header {
			sent.Headers[strings.ToLower(name)] = strings.Join(values, ", ")
		}
		sent.Body, _ = io.ReadAll(r.Body)
	}))
	defer server.Close()
	address, err := config.ParseURL(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	target := config.Target{
		URL: address, Format: format, TLS: config.TLS{Verify: true}, Timeout: config.Duration(15 * time.Second),
		Allow: config.Allowed{{Class: config.Private}, {Class: config.Loopback}}, Concurrency: 4,
	}
	for _, text := range secrets {
		secret := config.NewSecret(text)
		target.Secret = append(target.Secret, secret)
		if public := secret.PublicKey(); public != "" {
			sent.PublicKeys = append(sent.PublicKeys, public)
		}
	}
	event := skippedComfort(t)
	if format == config.FormatCloudEvents {
		sent.Event = json.RawMessage(`{"specversion":"1.0","type":"io.github.sidehook.survey.page_navigated","source":"/surveys/5/3",` +
			`"subject":"fzd","id":"evt_1","time":"2025-03-04T09:16:02.481Z","datacontenttype":"application/json","data":` + string(event.Data()) + `}`)
	}
	d := &outbox.Delivery{ID: "msg_5gk3", ContentType: formats[format].contentType, Body: formats[format].body(aboutSkipped, event)}
	sender, err := send.New(send.Options{Name: "crm", Target: target, Version: "1.2.3", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer sender.Close()
	if result := sender.Send(t.Context(), d, time.Now()); result.Outcome != send.Delivered {
		t.Fatalf("%s: result is %+v", name, result)
	}
	return sent
}
