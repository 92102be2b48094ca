package config

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"iter"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/sidehook/sidehook/rules/strictyaml"
	"github.com/sidehook/sidehook/rules/strictyaml/schema"
)

const (
	// configSchema is written with -update; its descriptions are the comments of exampleFile.
	configSchema = "../schema/config.json"
	schemaURL    = "https://raw.githubusercontent.com/sidehook/sidehook/main/rules/schema/config.json"
	// modeline is how a YAML file names its schema to editors.
	modeline = "# yaml-language-server: $schema="
)

// describedBy has the keys of which the example describes one for all.
var describedBy = strings.NewReplacer("app_tls.", "targets.*.tls.", "replicas.tls.", "targets.*.tls.", "pseudonymise.answers", "redact.answers")

// unseen has the bad files of testdata that the schema must accept, by the reason.
var unseen = map[string]string{
	"the value of a text": `breaker-open-zero inspect-limit-large inspect-limit-small response-timeout-long retention-endless schedule-zero settle-long abandoned-after-short
		size-overflow size-small timeout-long timeout-microseconds timeout-zero retention-zero listen-port-too-high app-with-bad-port watched-bodies-large watched-bodies-small answer-limit-large replicas-bad-port`,
	"how two values relate": `app-is-listen app-is-listen-name journey-limit-small breaker-open-longer-than-max same-address same-port-all-hosts pseudonymise-redacted
		header-twice proxy-protocol-from-anybody rule-name-twice rule-to-unknown-target url-mapped url-metadata url-not-allowed secret-whsk-for-decsys
		abandoned-after-longer-than-journeys on-without-a-word-in-decsys on-started-with-source-pages replicas-credentials-twice`,
	"what a name refers to": `admin-token-short app-tls-ca-not-pem app-tls-files-missing app-tls-other-key profile-missing
		header-env-unset pseudonymise-short-key secret-env-empty secret-env-only-a-line-break secret-env-unset secret-file-empty secret-file-folder
		secret-file-forbidden secret-file-missing secret-whsec-not-base64 secret-whsec-short secret-whsk-wrong tls-ca-not-pem
		tls-files-missing tls-other-key replicas-credentials-missing replicas-credentials-other`,
	"a grammar that is too complex for a pattern": `allow-middle-of-a-range allow-not-a-range url-unreadable when-bracket`,
}

func TestTheSchemaIsThatOfTheStructs(t *testing.T) {
	manual, err := schema.ReadManual(exampleFile, []byte(wholeExample(t)), ptr(defaults()))
	if err != nil {
		t.Fatal(err)
	}
	w := schema.Writer{Manual: manual, SameAs: describedBy, Scalars: scalarSchemas, Narrowed: narrowed()}
	text, err := w.Write(schemaURL, "The configuration of sidehook", Config{})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, configSchema, string(text))
}

func TestTheExampleNamesItsSchema(t *testing.T) {
	if first, _, _ := strings.Cut(mustRead(t, exampleFile), "\n"); first != modeline+schemaURL {
		t.Errorf("%s begins with %q", exampleFile, first)
	}
}

func TestTheSchemaAcceptsValidConfigurations(t *testing.T) {
	schema := mustCompile(t, configSchema)
	f := func(name, source string) {
		t.Helper()
		value, err := strictyaml.JSON(name, []byte(source))
		if err != nil {
			t.Error(err)
		}
		if err := schema.Validate(value); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, file := range append(mustGlob(t, testFolder+"/good/*.yaml"), exampleFile, "../trial/testdata/config.yaml") {
		f(file, mustRead(t, file))
	}
	f("the example with all keys", wholeExample(t))
}

func TestTheSchemaRefusesWhatTheChecksRefuse(t *testing.T) {
	schema, reasons := mustCompile(t, configSchema), map[string]string{}
	for reason, names := range unseen {
		for _, name := range strings.Fields(names) {
			reasons[name] = reason
		}
	}
	for _, file := range mustGlob(t, testFolder+"/bad/*.yaml") {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		value, err := strictyaml.JSON(file, []byte(mustRead(t, file)))
		if err != nil {
			continue // not YAML, so there is no value to ask the schema about
		}
		err = schema.Validate(value)
		reason := reasons[name]
		delete(reasons, name)
		if err == nil && reason == "" {
			t.Errorf("%s is accepted", name)
		}
		if err != nil && reason != "" {
			t.Errorf("%s is refused, although no schema can know %s: %v", name, reason, err)
		}
	}
	for name := range reasons {
		t.Errorf("%s is not a bad file, or not YAML", name)
	}
}

func TestTheSchemaAcceptsEveryTextThatTheDecoderAccepts(t *testing.T) {
	const longest = 4 // pieces
	f := func(into any, pieces string) {
		t.Helper()
		kind := reflect.TypeOf(into).Elem()
		schema, accepted := mustCompileValue(t, kind.Name(), scalarSchemas[kind]), 0
		for text := range textsOf(strings.Split(pieces, "_"), longest) {
			if readScalar(into, text) != nil {
				continue
			}
			accepted++
			if err := schema.Validate(text); err != nil {
				t.Errorf("%s accepts %q, but its schema: %v", kind, text, err)
				return
			}
		}
		if accepted == 0 {
			t.Errorf("%s accepts nothing made of %s", kind, pieces)
		}
	}
	f(new(Duration), "0_5_12_._+_ _d_h_m_s_ms_us_µs_ns")
	f(new(Size), "0_7_10_._-_ _B_KB_KiB_MiB_GB_TiB")
	f(new(Rate), "0_5_10_._-_/s_/m_/h_/d_unlimited")
	f(new(URL), "http://_https://_/_:_?_#_@_80_0_a_%41_[::1]_ _crm.example.org")
	f(new(Server), "nats://_tls://_/_:_?_#_@_80_0_a_%41_[::1]_,_nats-1")
	f(new(Proxy), "http://_socks5://_/_:_?_#_@_80_0_a_%41_[::1]_none_environment_proxy.example.org")
	f(new(Network), "10_0_.0_.7_:_::1_fd00_/8_/32_%_.")
	f(new(AllowedRange), "10_0_.0_.7_:_::1_fd00_/8_/32_private_link-local_metadata_-")
}

// textsOf yields every text of up to longest pieces.
func textsOf(pieces []string, longest int) iter.Seq[string] {
	return func(yield func(string) bool) {
		texts := []string{""}
		for range longest {
			var longer []string
			for _, text := range texts {
				for _, piece := range pieces {
					longer = append(longer, text+piece)
				}
			}
			texts = longer
			for _, text := range texts {
				if !yield(text) {
					return
				}
			}
		}
	}
}

// readScalar reads text as the decoder reads a scalar in quotes.
func readScalar(into any, text string) error {
	switch own := into.(type) {
	case strictyaml.ScalarUnmarshaler:
		return own.UnmarshalScalar(text, false)
	case encoding.TextUnmarshaler:
		return own.UnmarshalText([]byte(text))
	}
	return fmt.Errorf("%T is not a scalar", into)
}

func mustGlob(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %d files, %v", pattern, len(files), err)
	}
	return files
}

func mustCompile(t *testing.T, file string) *jsonschema.Schema {
	t.Helper()
	return mustCompileValue(t, file, json.RawMessage(mustRead(t, file)))
}

func mustCompileValue(t *testing.T, name string, value any) *jsonschema.Schema {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft7)
	if err := compiler.AddResource(name, document); err != nil {
		t.Fatal(err)
	}
	return compiler.MustCompile(name)
}
