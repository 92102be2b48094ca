package rules

import (
	"bytes"
	"encoding/json"
	"iter"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// The files that Go writes with -update, and their manuals, which say what each key means.
const (
	configSchema  = "schema/config.json"
	profileSchema = "schema/profile.json"
	profileManual = "profiles/decsys.yaml"
)

// unseen are the bad files of testdata that a schema takes, by the reason why it must.
var unseen = map[string]string{
	"a text's value": `breaker-open-zero inspect-limit-large inspect-limit-small response-timeout-long retention-endless schedule-zero settle-long
		size-overflow size-small timeout-long timeout-microseconds timeout-zero retention-zero listen-port-too-high app-with-bad-port`,
	"what two values have to do with each other": `breaker-open-longer-than-max same-address same-port-all-hosts pseudonymise-redacted
		header-twice rule-name-twice rule-to-unknown-target url-mapped url-metadata url-not-allowed secret-whsk-for-decsys`,
	"what a name refers to": `admin-token-short app-tls-ca-not-pem app-tls-files-missing app-tls-other-key profile-missing
		pseudonymise-short-key secret-env-empty secret-env-only-a-line-break secret-env-unset secret-file-empty secret-file-folder
		secret-file-forbidden secret-file-missing secret-whsec-not-base64 secret-whsec-short secret-whsk-wrong tls-ca-not-pem
		tls-files-missing tls-other-key`,
	"a grammar that is too rich for a pattern": `allow-middle-of-a-range allow-not-a-range url-unreadable when-bracket`,
}

func TestTheSchemasAreThoseOfTheStructs(t *testing.T) {
	config, err := readManual(exampleFile, wholeExample(t), ptr(defaults()))
	if err != nil {
		t.Fatal(err)
	}
	profile, err := readManual(profileManual, mustRead(t, profileManual), &profileFile{})
	if err != nil {
		t.Fatal(err)
	}
	f := func(file, title string, w schemaWriter, value any) {
		t.Helper()
		text, err := w.write(file, title, value)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, file, text)
	}
	f(configSchema, "The configuration of sidehook", schemaWriter{config, narrowedConfig()}, Config{})
	f(profileSchema, "A profile of sidehook: what an app says on the wire", schemaWriter{profile, narrowedProfile()}, profileFile{})
}

func TestEditorsFindTheSchemas(t *testing.T) {
	f := func(file, schema string) {
		t.Helper()
		if first, _, _ := strings.Cut(mustRead(t, file), "\n"); first != modeline+schemaBase+schema {
			t.Errorf("%s begins with %q", file, first)
		}
	}
	f(exampleFile, configSchema)
	f(profileManual, profileSchema)
}

func TestTheSchemasTakeWhatIsRight(t *testing.T) {
	f := func(schema *jsonschema.Schema, name, source string) {
		t.Helper()
		value, ok := valueOf(name, source)
		if !ok {
			t.Errorf("%s is not YAML", name)
		}
		if err := schema.Validate(value); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	config, profile := mustCompile(t, configSchema), mustCompile(t, profileSchema)
	for _, file := range append(mustGlob(t, testFolder+"/good/*.yaml"), exampleFile, "testdata/try/config.yaml") {
		f(config, file, mustRead(t, file))
	}
	f(config, "the example with all keys", wholeExample(t))
	for _, file := range append(mustGlob(t, "profiles/*.yaml"), "testdata/try/pulse.yaml") {
		f(profile, file, mustRead(t, file))
	}
}

func TestTheSchemaOfConfigurationsRefusesWhatCheckRefuses(t *testing.T) {
	schema, reasons := mustCompile(t, configSchema), map[string]string{}
	for reason, names := range unseen {
		for _, name := range strings.Fields(names) {
			reasons[name] = reason
		}
	}
	for _, file := range mustGlob(t, testFolder+"/bad/*.yaml") {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		value, ok := valueOf(file, mustRead(t, file))
		if !ok {
			continue // a schema is asked about values only
		}
		err, reason := schema.Validate(value), reasons[name]
		delete(reasons, name)
		if err == nil && reason == "" {
			t.Errorf("%s is taken", name)
		}
		if err != nil && reason != "" {
			t.Errorf("%s is refused, though no schema can see %s: %v", name, reason, err)
		}
	}
	for name := range reasons {
		t.Errorf("%s is no bad file that is YAML", name)
	}
}

func TestTheSchemaOfProfilesRefusesWhatCheckRefuses(t *testing.T) {
	schema, right := mustCompile(t, profileSchema), mustRead(t, profileManual)
	f := func(old, changed string) {
		t.Helper()
		source := strings.Replace(right, old, changed, 1)
		if source == right {
			t.Fatalf("%s has no %q", profileManual, old)
		}
		if _, err := parseProfile("p.yaml", []byte(source)); err == nil {
			t.Errorf("%q is taken by the decoder", changed)
		}
		if value, ok := valueOf("p.yaml", source); !ok || schema.Validate(value) == nil {
			t.Errorf("%q is taken, or is not YAML", changed)
		}
	}
	f("friendly_ids: decsys", "friendly_ids: decsy")
	f("friendly_ids:", "friendly_id:")
	f("on: GET /api", "on: get /api")
	f("on: GET /api", "on: GET api")
	f("{participant?}", "{participant")
	f("says: navigated", "says: navigate")
	f("says: navigated", "answer: request:@this")
	f("says: navigated", "says: answered")
	f("answer: request:@this", "ids: {}")
	f("answer: request:@this", "answer: '@this'")
	f("when: 204", "when: 604")
	f("when: 204", "when: 204 json")
	f("survey: response:", "study: response:")
	f("survey: response:", "survey: ")
	f("  items: components", "")
	f("\n  type: type", "\n  type: ''")
	f("get: /version", "get: version")
	f("oldest: 2.0.0", "oldest: v2")
	f("instances/{instance}", "instances/{instances}")
	f("  parent: survey.parent.id", "")
	f("    page_loaded: decsys.platform.PAGE_LOAD", "")
	f("    reached: payload.TargetPageId", "")
}

func TestTheSchemaTakesEveryTextThatTheDecoderTakes(t *testing.T) {
	const longest = 4 // pieces
	f := func(into any, pieces string) {
		t.Helper()
		kind := reflect.TypeOf(into).Elem()
		schema, taken := mustCompileValue(t, kind.Name(), scalarSchemas[kind]), 0
		for text := range textsOf(strings.Split(pieces, "_"), longest) {
			if setScalar(reflect.ValueOf(into).Elem(), text, "!!str") != nil {
				continue
			}
			taken++
			if err := schema.Validate(text); err != nil {
				t.Errorf("%s takes %q, but its schema: %v", kind, text, err)
				return
			}
		}
		if taken == 0 {
			t.Errorf("%s takes nothing that is made of %s", kind, pieces)
		}
	}
	f(new(Duration), "0_5_12_._+_ _d_h_m_s_ms_us_µs_ns")
	f(new(Size), "0_7_10_._-_ _B_KB_KiB_MiB_GB_TiB")
	f(new(Rate), "0_5_10_._-_/s_/m_/h_/d_unlimited")
	f(new(URL), "http://_https://_/_:_?_#_@_80_0_a_%41_[::1]_ _crm.example.org")
	f(new(Proxy), "http://_socks5://_/_:_?_#_@_80_0_a_%41_[::1]_none_environment_proxy.example.org")
	f(new(Network), "10_0_.0_.7_:_::1_fd00_/8_/32_%_.")
	f(new(AllowedRange), "10_0_.0_.7_:_::1_fd00_/8_/32_private_link-local_metadata_-")
}

// textsOf gives every text of up to that many pieces.
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

// valueOf is what a YAML file says to an editor; ok is false where it is not YAML, or not as we take it.
func valueOf(name, source string) (value any, ok bool) {
	document := newDocument(name)
	root := parseYAML(document, []byte(source))
	if document.err() != nil {
		return nil, false
	}
	return jsonOf(root, map[*node]any{}), true
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
