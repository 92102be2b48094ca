package docs

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/sidehook/sidehook/docs/receiving"
	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/emitter/record"
	"github.com/sidehook/sidehook/emitter/send"
	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/config"
	"github.com/sidehook/sidehook/rules/recordings"
	"github.com/sidehook/sidehook/rules/trial"
)

const (
	receiverSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	// signedAt is when the requests of the manual were signed.
	signedAt = 1741079763
)

// verification is a webhook, and whether each of its signatures is to verify.
type verification struct {
	name         string
	header       http.Header
	Headers      map[string]string `json:"headers"`
	Body         []byte            `json:"body"`
	Secret       string            `json:"secret"`
	Now          int64             `json:"now"`
	want, decsys bool
}

func TestThePageShowsTheFilesBesideIt(t *testing.T) {
	page := readFile(t, "receiving.md")
	files, err := filepath.Glob("receiving/*")
	if err != nil || len(files) < 9 {
		t.Fatalf("there are %d files, %v", len(files), err)
	}
	for _, file := range files {
		if !strings.Contains(page, "\n"+readFile(t, file)+"```\n") {
			t.Errorf("receiving.md does not show %s as it is", file)
		}
	}
}

func TestReceiversInGoVerifyTheRequestsOfTheManual(t *testing.T) {
	for _, v := range verifications(t) {
		if got := receiving.Verify(v.header, v.Body, v.Secret, time.Unix(v.Now, 0)); got != v.want {
			t.Errorf("%s: %v, want %v", v.name, got, v.want)
		}
		if got := receiving.VerifyDecsys(v.header, v.Body, v.Secret); got != v.decsys {
			t.Errorf("%s: %v by X-Decsys-Signature, want %v", v.name, got, v.decsys)
		}
	}
}

func TestReceiversInOtherLanguagesVerifyTheRequestsOfTheManual(t *testing.T) {
	f := func(program string, args ...string) {
		t.Run(program, func(t *testing.T) {
			if _, err := exec.LookPath(program); err != nil {
				t.Skipf("%s is not installed here", program)
			}
			cases := verifications(t)
			input, err := json.Marshal(cases)
			if err != nil {
				t.Fatal(err)
			}
			command := exec.CommandContext(t.Context(), program, args...)
			command.Dir, command.Stdin = "receiving", bytes.NewReader(input)
			var stderr bytes.Buffer
			command.Stderr = &stderr
			output, err := command.Output()
			if err != nil {
				t.Fatalf("%v: %s", err, stderr.String())
			}
			var want, got [][2]bool
			for _, v := range cases {
				want = append(want, [2]bool{v.want, v.decsys})
			}
			if err := json.Unmarshal(output, &got); err != nil {
				t.Fatalf("%v: %s", err, output)
			}
			for i := range want {
				if len(got) != len(want) || got[i] != want[i] {
					t.Errorf("%s: want %v, got %v", cases[i].name, want[i], got)
				}
			}
		})
	}
	f("node", "--input-type=module", "-e", `
		import { readFileSync } from "node:fs";
		import { verify, verifyDecsys } from "./verify.mjs";
		const body = (v) => Buffer.from(v.body, "base64");
		console.log(JSON.stringify(JSON.parse(readFileSync(0)).map((v) => [verify(v.headers, body(v), v.secret, v.now), verifyDecsys(v.headers, body(v), v.secret)])));`)
	f("python3", "-B", "-c", `
import base64, json, sys
sys.path.insert(0, ".")
from verify import verify, verify_decsys
body = lambda v: base64.b64decode(v["body"])
print(json.dumps([[verify(v["headers"], body(v), v["secret"], v["now"]), verify_decsys(v["headers"], body(v), v["secret"])] for v in json.load(sys.stdin)]))`)
	f("php", "-r", `
		require "verify.php";
		echo json_encode(array_map(fn ($v) => [
			verify($v["headers"], base64_decode($v["body"]), $v["secret"], $v["now"]),
			verify_decsys($v["headers"], base64_decode($v["body"]), $v["secret"]),
		], json_decode(file_get_contents("php://stdin"), true)));`)
}

// verifications returns the requests of the manual, and what can be wrong with them.
func verifications(t *testing.T) (list []verification) {
	t.Helper()
	files, err := filepath.Glob("receiving/*.http")
	if err != nil || len(files) != 3 {
		t.Fatalf("there are %d requests, %v; want one for each format", len(files), err)
	}
	for _, file := range files {
		request, err := http.ReadRequest(bufio.NewReader(strings.NewReader(readFile(t, file))))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(request.Body)
		if err != nil {
			t.Fatal(err)
		}
		add := func(what string, is, isDecsys bool, edit func(*verification)) {
			v := verification{
				name: file + ", " + what, header: request.Header.Clone(), Headers: map[string]string{},
				Body: bytes.Clone(body), Secret: receiverSecret, Now: signedAt, want: is,
			}
			edit(&v)
			for name := range v.header {
				v.Headers[strings.ToLower(name)] = v.header.Get(name)
			}
			v.decsys = isDecsys && request.Header.Get("X-Decsys-Signature") != ""
			list = append(list, v)
		}
		add("as it is", true, true, func(*verification) {})
		add("a little late", true, true, func(v *verification) { v.Now += 299 })
		add("replayed", false, true, func(v *verification) { v.Now += 301 })
		add("from the future", false, true, func(v *verification) { v.Now -= 301 })
		add("with another body", false, false, func(v *verification) { v.Body[len(v.Body)-2] = ' ' })
		add("with another secret", false, false, func(v *verification) { v.Secret = "whsec_plJ3nmyCDGBKInavdOK15jsl" })
		add("with the key as text", false, false, func(v *verification) { v.Secret = strings.TrimPrefix(v.Secret, "whsec_") })
		add("with another id", false, true, func(v *verification) { v.header.Set("webhook-id", "msg_1") })
		add("with a timestamp that is none", false, true, func(v *verification) { v.header.Set("webhook-timestamp", "now") })
		add("without a signature", false, false, func(v *verification) {
			v.header.Del("webhook-signature")
			v.header.Del("X-Decsys-Signature")
		})
		add("while the secret changes", true, true, func(v *verification) {
			v.header.Set("webhook-signature", "v1,b3RoZXI= "+v.header.Get("webhook-signature"))
		})
	}
	return list
}

func TestTheStatementsOfTheManualTakeAWebhookOnce(t *testing.T) {
	if _, err := exec.LookPath("sqlite3"); err != nil {
		t.Skip("sqlite3 is not installed here")
	}
	statements := readFile(t, "receiving/deduplicate.sql")
	f := func(ids string, want string) {
		t.Helper()
		var script strings.Builder
		for id := range strings.FieldsSeq(ids) {
			script.WriteString(".parameter set :id '" + id + "'\n" + statements)
		}
		command := exec.CommandContext(t.Context(), "sqlite3", "-batch", ":memory:")
		command.Stdin = strings.NewReader(script.String())
		output, err := command.CombinedOutput()
		if err != nil || strings.Join(strings.Fields(string(output)), " ") != want {
			t.Errorf("%s: taken are %s, want %s; %v", ids, output, want, err)
		}
	}
	f("msg_1", "msg_1")
	f("msg_1 msg_2 msg_1 msg_1 msg_3 msg_2", "msg_1 msg_2 msg_3")
}

// Each answer that a browser sent in the recordings has the shape that the manual names for its type.
func TestTheManualHasTheShapesOfAllAnswersThatBrowsersSent(t *testing.T) {
	shapes := map[string]gjson.Result{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([A-Z][A-Za-z ]+)` \\| `(\\{.*\\})`").FindAllStringSubmatch(readFile(t, "receiving.md"), -1) {
		shapes[row[1]] = gjson.Parse(row[2])
	}
	profile, err := rules.LoadProfile("decsys")
	if err != nil {
		t.Fatal(err)
	}
	cfg := &config.Config{
		Targets: map[string]config.Target{"lake": {Format: config.FormatStandard}}, Rules: []config.Rule{{To: []string{"lake"}}},
	}
	seen := map[string]bool{}
	for _, name := range recordings.Names() {
		if !strings.HasPrefix(name, "browser-") {
			continue
		}
		recording, err := recordings.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, exchange := range trial.Run(trial.Options{Profile: profile, Config: cfg, Preview: record.Preview(cfg)}, recording.Exchanges, nil).Exchanges {
			for _, event := range exchange.Events {
				for _, delivery := range event.Deliveries {
					for _, response := range gjson.GetBytes(delivery.Body, `data.responses.#(state=="answered")#`).Array() {
						kind := response.Get("type").String()
						seen[kind] = true
						if !isShaped(response.Get("response"), shapes[kind]) {
							t.Errorf("%s: an answer to %s is %s, which is not in the manual", name, kind, response.Get("response").Raw)
						}
					}
				}
			}
		}
	}
	if len(seen) < 8 {
		t.Errorf("the recordings have answers of types %v only", seen)
	}
}

// Each status of the manual's table is what the sender makes of it.
func TestTheManualSaysWhatEachStatusMeans(t *testing.T) {
	rows := regexp.MustCompile(`(?m)^\| ([1-5][0-9x]{2}[^|]*) \| (.*) \|$`).FindAllStringSubmatch(readFile(t, "receiving.md"), -1)
	if len(rows) != 7 {
		t.Fatalf("the table has %d rows of statuses, want 7", len(rows))
	}
	for _, row := range rows {
		for _, text := range regexp.MustCompile(`[1-5][0-9x]{2}`).FindAllString(row[1], -1) {
			for _, digits := range []string{"00", "04", "07"} {
				status, err := strconv.Atoi(strings.Replace(text, "xx", digits, 1))
				if err != nil {
					t.Fatal(err)
				}
				if got, want := outcomeOf(t, status), outcomeIn(row[2]); got != want {
					t.Errorf("status %d: %v, but the manual says %q, which is %v", status, got, row[2], want)
				}
			}
		}
	}
}

// outcomeIn returns the outcome that a row of the table describes.
func outcomeIn(text string) send.Outcome {
	for phrase, outcome := range map[string]send.Outcome{
		"is done": send.Delivered, "then it is dead": send.Rejected, "is disabled": send.Gone, "does not count as a failure": send.Throttled,
	} {
		if strings.Contains(text, phrase) {
			return outcome
		}
	}
	return send.Retry
}

// outcomeOf sends a webhook to a target that responds with a status.
func outcomeOf(t *testing.T, status int) send.Outcome {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
	defer server.Close()
	address, err := config.ParseURL(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	sender, err := send.New(send.Options{Name: "crm", Logger: slog.New(slog.DiscardHandler), Target: config.Target{
		URL: address, Timeout: config.Duration(15 * time.Second), Allow: config.Allowed{{Class: config.Loopback}}, Concurrency: 1,
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer sender.Close()
	return sender.Send(t.Context(), &outbox.Delivery{ID: "msg_1", Body: []byte("{}")}, time.Now()).Outcome
}

// isShaped reports whether each key of an answer is in the example, with a value of the same type.
func isShaped(answer, example gjson.Result) bool {
	if !answer.IsObject() || !example.IsObject() {
		return false
	}
	if first := example.Get("Row 1"); first.Exists() { // the keys are labels of rows
		isRow := true
		answer.ForEach(func(_, row gjson.Result) bool { isRow = isRow && isShaped(row, first); return true })
		return isRow
	}
	fits := true
	answer.ForEach(func(key, value gjson.Result) bool {
		fits = fits && example.Get(gjson.Escape(key.String())).Type == value.Type
		return true
	})
	return fits
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
