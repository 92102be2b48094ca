package config

import (
	"encoding"
	"fmt"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sidehook/sidehook/rules/strictyaml"
)

const exampleFile = "../../config.example.yaml"

// commentedKey matches a line of the example that shows a key without setting it.
var commentedKey = regexp.MustCompile(`(?m)^( *)# ( *[a-z_]+:(?: \S+)?(?: +# default)?)$`)

// commentOfCommentedKey matches a line that describes such a key within another.
var commentOfCommentedKey = regexp.MustCompile(`(?m)^# ( +# .*)$`)

func TestTheExampleIsValid(t *testing.T) {
	config, err := Parse(exampleFile, []byte(mustRead(t, exampleFile)), lookupTestEnv, readTestFile)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(config.Summary(), canary) {
		t.Errorf("its summary shows a secret:\n%s", config.Summary())
	}
}

// wholeExample returns the example with the keys set that it only shows.
func wholeExample(t *testing.T) string {
	t.Helper()
	source := commentedKey.ReplaceAllString(mustRead(t, exampleFile), "$1$2")
	source = commentOfCommentedKey.ReplaceAllString(source, "$1")
	return strings.Replace(source, "\napp: http:", "\napp: https:", 1) // which app_tls needs
}

func TestTheExampleShowsEveryKeyAndItsDefault(t *testing.T) {
	source := wholeExample(t)
	keys := map[string]string{"app.pem": "cert.pem", "crm.pem": "cert.pem", "sidehook.pem": "cert.pem", "sidehook.key": "key.pem", "nats.pem": "cert.pem", "nats.creds": testFolder + "/files/nats.creds", "error.html": "cert.pem"}
	readFile := func(path string) ([]byte, error) { return readTestFile(keys[filepath.Base(path)]) }
	example, err := Parse(exampleFile, []byte(source), lookupTestEnv, readFile)
	if err != nil {
		t.Fatal(err)
	}

	config := defaults()
	document := strictyaml.Decode(exampleFile, []byte(source), &config)
	lines := strings.Split(source, "\n")
	compare := func(path string, shown, byDefault reflect.Value) {
		if !document.Has(path) {
			t.Errorf("the example lacks %s", path)
			return
		}
		line := lines[document.Line(path)-1]
		marked := strings.HasSuffix(line, "# default")
		if marked && !reflect.DeepEqual(shown.Interface(), byDefault.Interface()) {
			t.Errorf("%s: marked as the default is %v, but the default is %v", path, shown, byDefault)
		}
		if !marked && !byDefault.IsZero() {
			t.Errorf("%s: its default %v is not marked: %s", path, byDefault, line)
		}
	}

	var target Target
	target.SetDefaults()
	eachKey("", reflect.ValueOf(example).Elem(), reflect.ValueOf(ptr(defaults())).Elem(), compare)
	eachKey("targets.crm", reflect.ValueOf(ptr(example.Targets["crm"])).Elem(), reflect.ValueOf(&target).Elem(), compare)
	var replicas Replicas
	replicas.SetDefaults()
	eachKey("replicas", reflect.ValueOf(example.Replicas).Elem(), reflect.ValueOf(&replicas).Elem(), compare)
	eachKey("rules[0]", reflect.ValueOf(&example.Rules[0]).Elem(), reflect.ValueOf(&Rule{}).Elem(), compare)
}

func ptr[T any](value T) *T { return &value }

// eachKey calls do for every key of a struct and of the structs in it.
func eachKey(path string, shown, byDefault reflect.Value, do func(path string, shown, byDefault reflect.Value)) {
	for key, i := range strictyaml.Fields(shown.Type()) {
		sub, one, other := strictyaml.KeyPath(path, key), shown.Field(i), byDefault.Field(i)
		if one.Kind() == reflect.Struct && !isScalar(one) {
			eachKey(sub, one, other, do)
			continue
		}
		do(sub, one, other)
	}
}

func isScalar(value reflect.Value) bool {
	switch value.Addr().Interface().(type) {
	case encoding.TextUnmarshaler, strictyaml.ScalarUnmarshaler:
		return true
	}
	return false
}

func TestAKeyThatTheExampleLacksIsFound(t *testing.T) {
	// The test above relies on finding keys by path: this shows that it can fail.
	var config Config
	document := strictyaml.Decode("f.yaml", []byte("listen: :1"), &config)
	var missing []string
	eachKey("", reflect.ValueOf(&config).Elem(), reflect.ValueOf(&config).Elem(), func(path string, _, _ reflect.Value) {
		if !document.Has(path) {
			missing = append(missing, path)
		}
	})
	want := "[admin admin_token admin_pprof log.format log.level log.access app app_tls.verify app_tls.ca app_tls.cert app_tls.key response_timeout drain_delay stop_timeout error_page forwarded trusted_proxies proxy_protocol upgrades request_id profile state replicas durability inspect_limit settle abandoned_after retention.delivered retention.dead retention.journeys retention.statistics retention.size limits.answer limits.journey limits.watched_bodies targets rules]"
	if diff := cmp.Diff(want, fmt.Sprint(missing)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
