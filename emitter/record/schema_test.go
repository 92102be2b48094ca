package record

import (
	"bytes"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/config"
)

// standardSchema is the published schema of format standard.
func standardSchema(t testing.TB) *jsonschema.Schema {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile("../schema/standard.json")
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
	schema := standardSchema(t)
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
	f("an instant of another zone", `2025-03-04T09:16:02.481Z`, `2025-03-04T10:16:02.481+01:00`)
	f("a skipped page with an answer", `"state":"skipped","response":null`, `"state":"skipped","response":{}`)
	f("an answer that was never recorded", `"recorded":"2025-03-04T09:14:31.902Z"`, `"recorded":null`)
	f("a number as text", `"page_count":4`, `"page_count":"4"`)
}

func TestBodiesOfWhatATargetMustNotSeeKeepToTheSchema(t *testing.T) {
	schema := standardSchema(t)
	f := func(what string, target *config.Target) {
		t.Helper()
		body := standardBody(aboutSkipped, rules.NewRedaction(target).Apply(skippedComfort(t)))
		if err := violation(t, schema, body); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	f("nothing but navigation", &config.Target{Only: []config.AnswerPart{}})
	f("no participant", &config.Target{Redact: config.Redact{Participant: true, Answers: []config.AnswerPart{{Type: "Confirmation"}}}})
}
