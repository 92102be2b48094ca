package record

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/tidwall/gjson"

	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/config"
)

// schemaOf returns the published schema of a format.
func schemaOf(t testing.TB, name config.Format) *jsonschema.Schema {
	t.Helper()
	compiler := jsonschema.NewCompiler()
	url := ""
	for format := range formats {
		content, err := os.ReadFile("../schema/" + string(format) + ".json")
		if err != nil {
			t.Fatal(err)
		}
		schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(content))
		if err != nil {
			t.Fatal(err)
		}
		id := gjson.GetBytes(content, "$id").String()
		if err := compiler.AddResource(id, schema); err != nil {
			t.Fatal(err)
		}
		if format == name {
			url = id
		}
	}
	schema, err := compiler.Compile(url)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// violation returns what the schema does not allow in a body, nil if all is well.
func violation(t testing.TB, schema *jsonschema.Schema, body []byte) error {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return schema.Validate(value)
}

func TestTheSchemaOfFormatStandardAllowsNothingElse(t *testing.T) {
	schema := schemaOf(t, config.FormatStandard)
	body := string(standardBody(aboutSkipped, skippedComfort(t)))
	if err := violation(t, schema, []byte(body)); err != nil {
		t.Fatalf("the example: %v", err)
	}
	f := func(what, old, changed string) {
		t.Helper()
		odd := strings.Replace(body, old, changed, 1)
		if odd == body {
			t.Fatalf("%s: the example has no %s", what, old)
		}
		if violation(t, schema, []byte(odd)) == nil {
			t.Errorf("%s is allowed", what)
		}
	}
	f("a key of its own", `"recovered"`, `"more":1,"recovered"`)
	f("a missing key", `"rule":"comfort",`, ``)
	f("a missing key of a response", `"optional":true,`, ``)
	f("another type", `survey.page_navigated`, `survey.left`)
	f("a completion that reaches a page", `survey.page_navigated`, `survey.completed`)
	f("an end of the survey that is only abandoned", `survey.page_navigated`, `survey.abandoned`)
	f("a start from a page", `survey.page_navigated`, `survey.started`)
	f("an instant of another zone", `2025-03-04T09:16:02.481Z`, `2025-03-04T10:16:02.481+01:00`)
	f("a skipped page with an answer", `"state":"skipped","response":null`, `"state":"skipped","response":{}`)
	f("an answer that was never recorded", `"recorded":"2025-03-04T09:14:31.902Z"`, `"recorded":null`)
	f("a number as text", `"page_count":4`, `"page_count":"4"`)
}

func TestTheOtherSchemasAllowNothingElse(t *testing.T) {
	f := func(name config.Format, what, old, changed string) {
		t.Helper()
		schema, body := schemaOf(t, name), string(formats[name].body(aboutSkipped, skippedComfort(t)))
		if err := violation(t, schema, []byte(body)); err != nil {
			t.Fatalf("the example of %s: %v", name, err)
		}
		odd := strings.Replace(body, old, changed, 1)
		if odd == body {
			t.Fatalf("%s: the example has no %s", what, old)
		}
		if violation(t, schema, []byte(odd)) == nil {
			t.Errorf("%s: %s is allowed", name, what)
		}
	}
	f(config.FormatDecsys, "a key of its own", `"Payload"`, `"More":1,"Payload"`)
	f(config.FormatDecsys, "a missing key", `"TargetPage":0,`, ``)
	f(config.FormatDecsys, "another event", `PAGE_NAVIGATION`, `COMPLETION`)
	f(config.FormatDecsys, "a success", `"ResolvedSuccess":false`, `"ResolvedSuccess":true`)
	f(config.FormatDecsys, "a time with Z", `+00:00"`, `Z"`)
	f(config.FormatDecsys, "a fraction with zeros at its end", `.4810377+00:00`, `.4810370+00:00`)
	f(config.FormatCloudEvents, "another type", `sidehook.survey.page_navigated`, `sidehook.survey.left`)
	f(config.FormatCloudEvents, "a completion that reaches a page", `survey.page_navigated`, `survey.completed`)
	f(config.FormatCloudEvents, "data that are not those of standard", `"recovered"`, `"more":1,"recovered"`)
	f(config.FormatCloudEvents, "no subject", `"subject":"fzd",`, ``)
}

func TestBodiesOfWhatATargetMustNotSeeKeepToTheSchema(t *testing.T) {
	f := func(what string, target *config.Target) {
		t.Helper()
		event := rules.NewRedaction(target).Apply(skippedComfort(t))
		for name, format := range formats {
			if err := violation(t, schemaOf(t, name), format.body(aboutSkipped, event)); err != nil {
				t.Errorf("%s, %s: %v", name, what, err)
			}
		}
	}
	f("nothing but navigation", &config.Target{Only: []config.AnswerPart{}})
	f("no participant", &config.Target{Redact: config.Redact{Participant: true, Answers: []config.AnswerPart{{Type: "Confirmation"}}}})
}
