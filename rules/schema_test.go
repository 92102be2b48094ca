package rules

import (
	"bytes"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/sidehook/sidehook/rules/profiles"
	"github.com/sidehook/sidehook/rules/strictyaml"
	"github.com/sidehook/sidehook/rules/strictyaml/schema"
)

var update = flag.Bool("update", false, "write golden files instead of comparing with them")

const (
	// profileSchema is written with -update; its descriptions are the comments of profileManual.
	profileSchema = "schema/profile.json"
	profileManual = "profiles/decsys.yaml"
	schemaBase    = "https://raw.githubusercontent.com/sidehook/sidehook/main/rules/"
	// modeline is how a YAML file names its schema to editors.
	modeline = "# yaml-language-server: $schema="
)

// These patterns must also be JavaScript's, with its flag u, since editors use
// them. Where a pattern cannot be exact it accepts too much.
const (
	sourcePattern = `^(digest:)?((request|response|query|header|cookie|set_cookie):.+|location)$`
	routePattern  = `^[^a-z ]+ (/([^/{} ]+|\{[^{}/]+\}))+( or [^a-z ]+ (/([^/{} ]+|\{[^{}/]+\}))+)*$`
	releaseForm   = `^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$`
	statusPattern = `^[2-5][0-9]{2}( or [2-5][0-9]{2})*( [^/ ]+/.+)?$`
)

func TestTheProfileSchemaIsThatOfTheStructs(t *testing.T) {
	manual := readManual(t, profileManual)
	for _, name := range profiles.Names() {
		manual.Add(readManual(t, "profiles/"+name+".yaml"))
	}
	w := schema.Writer{Manual: manual, Narrowed: narrowedProfile()}
	got, err := w.Write(schemaBase+profileSchema, "A profile of sidehook: what an app says on the wire", profileFile{})
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(profileSchema, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(string(mustRead(t, profileSchema)), string(got)); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", profileSchema, diff)
	}
}

func readManual(t *testing.T, file string) *schema.Manual {
	t.Helper()
	manual, err := schema.ReadManual(file, mustRead(t, file), &profileFile{})
	if err != nil {
		t.Fatal(err)
	}
	return manual
}

func TestBuiltInProfilesNameTheirSchema(t *testing.T) {
	for _, name := range profiles.Names() {
		first, _, _ := strings.Cut(string(mustRead(t, "profiles/"+name+".yaml")), "\n")
		if first != modeline+schemaBase+profileSchema {
			t.Errorf("%s begins with %q", name, first)
		}
	}
}

func TestTheProfileSchemaAcceptsValidProfiles(t *testing.T) {
	schema := mustCompile(t, profileSchema)
	files, err := filepath.Glob("profiles/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d profiles, %v", len(files), err)
	}
	for _, file := range append(files, "trial/testdata/pulse.yaml") {
		value, err := strictyaml.JSON(file, mustRead(t, file))
		if err != nil {
			t.Error(err)
		}
		if err := schema.Validate(value); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

func TestTheProfileSchemaRefusesWhatTheDecoderRefuses(t *testing.T) {
	schema, right := mustCompile(t, profileSchema), string(mustRead(t, profileManual))
	f := func(old, changed string) {
		t.Helper()
		source := strings.Replace(right, old, changed, 1)
		if source == right {
			t.Fatalf("%s has no %q", profileManual, old)
		}
		if _, err := ParseProfile("p.yaml", []byte(source)); err == nil {
			t.Errorf("%q is accepted by the decoder", changed)
		}
		value, err := strictyaml.JSON("p.yaml", []byte(source))
		if err != nil || schema.Validate(value) == nil {
			t.Errorf("%q is accepted by the schema, or not YAML: %v", changed, err)
		}
	}
	f("friendly_ids: decsys", "friendly_ids: decsy")
	f("friendly_ids:", "friendly_id:")
	f("on: GET /api", "on: get /api")
	f("on: GET /api", "on: GET api")
	f("{participant?}", "{participant")
	f("says: navigated", "says: navigate")
	f("says: navigated", "says: answered")
	f("answer: request:@this", "ids: {}")
	f("answer: request:@this", "answer: '@this'")
	f("when: 204", "when: 604")
	f("when: 204", "when: 204 json")
	f("survey: response:", "study: response:")
	f("survey: response:", "survey: ")
	f("get: /version", "get: version")
	f("oldest: 2.0.0", "oldest: v2")
	f("instances/{instance}", "instances/{instances}")
	f("  parent: survey.parent.id", "")
	f("    page_loaded: decsys.platform.PAGE_LOAD", "")
	f("    reached: payload.TargetPageId", "")
}

// narrowedProfile has what ParseProfile demands beyond types.
func narrowedProfile() map[string]schema.Schema {
	narrowed := map[string]schema.Schema{
		"":             {"required": []string{"routes"}},
		"friendly_ids": {"type": "string", "enum": slices.Sorted(maps.Keys(friendlyIDs))[1:]},
		"routes":       {"minItems": 1},
		"routes[]": {
			"required": []string{"on", "says"},
			"if":       schema.Schema{"properties": schema.Schema{"says": schema.Schema{"const": Answered}}},
			"then":     schema.Schema{"anyOf": []schema.Schema{{"required": []string{"answer"}}, {"required": []string{"answers"}}}},
		},
		"routes[].on":       matches(routePattern),
		"routes[].says":     {"type": "string", "enum": kinds},
		"routes[].when":     {"pattern": statusPattern, "minimum": 200, "maximum": 599},
		"routes[].ids":      {"propertyNames": schema.Schema{"enum": idNames}},
		"routes[].ids.*":    matches(sourcePattern),
		"routes[].known_as": matches(sourcePattern),
		"routes[].answer":   matches(sourcePattern),
		"routes[].answers":  {"required": []string{"at"}},
		"routes[].attempt":  {"type": "string", "enum": []attempt{newAttempt, resumedAttempt}},
		"routes[].outcome":  {"type": "string", "enum": []Outcome{ScreenedOut}},
		"page":              {"required": []string{"at"}},
		"version":           {"required": []string{"get", "oldest"}},
		"version.get":       matches("^/"),
		"version.oldest":    matches(releaseForm),
		"history": {
			"required":     []string{"pages", "pages_at", "event", "types"},
			"anyOf":        []schema.Schema{{"required": []string{"events"}}, {"required": []string{"last", "last_of_type"}}},
			"dependencies": schema.Schema{"parent": []string{"children"}, "children": []string{"parent"}},
		},
		"history.event": {"required": []string{"type", "source", "at", "answer", "reached"}},
		"history.types": {"required": []string{"page_loaded", "answered", "navigated"}},
	}
	for _, path := range []string{"pages", "events", "last_of_type", "last"} {
		narrowed["history."+path] = matches(`^/([^{]|\{(` + strings.Join(historyParams, "|") + `)\})*$`)
	}
	notEmpty := strings.Fields(`page.at history.pages_at history.event.type
		history.event.source history.event.at history.event.answer history.event.reached
		history.types.page_loaded history.types.answered history.types.navigated`)
	for _, path := range notEmpty {
		narrowed[path] = schema.Schema{"minLength": 1}
	}
	return narrowed
}

func matches(pattern string) schema.Schema {
	return schema.Schema{"type": "string", "pattern": pattern}
}

func mustRead(t *testing.T, file string) []byte {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func mustCompile(t *testing.T, file string) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(mustRead(t, file)))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource(file, document); err != nil {
		t.Fatal(err)
	}
	return compiler.MustCompile(file)
}
