package record

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"

	"github.com/sidehook/sidehook/rules/config"
)

// headerField is a field of the head of webhooks.
type headerField struct {
	name, description string
	// isRequired is whether it is always there.
	isRequired bool
}

var headerFields = []headerField{
	{"webhook-id", "The delivery: the same on every attempt and redelivery of it, and another for each target.", true},
	{"webhook-timestamp", "When this attempt was signed, in seconds since 1970.", true},
	{"webhook-signature", "One signature of Standard Webhooks for each secret of the target, separated by a blank.", false},
	{"x-decsys-signature", "The signature of Decsys, in format decsys: base64 of the HMAC-SHA-256 of the body with the text of the secret.", false},
	{"traceparent", "That of the participant's request, where it had one.", false},
	{"webhook-redelivery", "true: an operator had it sent again.", false},
	{"webhook-test", "true: a test event, which no participant has caused.", false},
}

// The AsyncAPI document is made from the formats, their schemas, and the requests of
// the receivers' manual.
func TestTheAsyncAPIDocumentIsMadeFromTheSchemas(t *testing.T) {
	const path = "../schema/asyncapi.json"
	made := asyncAPI(t)
	if *update {
		if err := os.WriteFile(path, made, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(made)); diff != "" {
		t.Errorf("run go test ./emitter/record -update (-file +made):\n%s", diff)
	}
}

type object = map[string]any

// asyncAPI returns the document (AsyncAPI 3.0.0).
func asyncAPI(t *testing.T) []byte {
	t.Helper()
	messages, references := object{}, object{}
	sent := []object{}
	for _, name := range []config.Format{config.FormatCloudEvents, config.FormatDecsys, config.FormatStandard} {
		messages[string(name)] = message(t, name)
		references[string(name)] = object{"$ref": "#/components/messages/" + string(name)}
		sent = append(sent, object{"$ref": "#/channels/target/messages/" + string(name)})
	}
	document := object{
		"asyncapi": "3.0.0",
		"info": object{
			"title": "The webhooks of sidehook", "version": "1",
			"description": "What a target receives by POST, in the format that its configuration names. docs/receiving.md has signatures, retries and order.",
			"license":     object{"name": "Apache License 2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
		},
		"channels": object{"target": object{
			"address": nil, "description": "The URL of a target.", "messages": references,
		}},
		"operations": object{"send": object{
			"action": "send", "channel": object{"$ref": "#/channels/target"}, "messages": sent,
			"bindings": object{"http": object{"method": "POST", "bindingVersion": "0.3.0"}},
		}},
		"components": object{"messages": messages, "schemas": object{"header": headerSchema()}},
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(document); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// message describes a format, with a signed request as its example.
func message(t *testing.T, name config.Format) object {
	t.Helper()
	schema, err := os.ReadFile("../schema/" + string(name) + ".json")
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(wire(t, name))))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(request.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := violation(t, schemaOf(t, name), body); err != nil {
		t.Fatal(err)
	}
	header := object{}
	for field := range request.Header {
		lower := strings.ToLower(field)
		if slices.ContainsFunc(headerFields, func(known headerField) bool { return known.name == lower }) {
			header[lower] = request.Header.Get(field)
		} else if !slices.Contains([]string{"content-length", "content-type", "user-agent"}, lower) {
			t.Errorf("the field %s is not described", field)
		}
	}
	return object{
		"title": gjson.GetBytes(schema, "title").String(), "contentType": formats[name].contentType,
		"headers":  object{"$ref": "#/components/schemas/header"},
		"payload":  object{"schemaFormat": "application/schema+json;version=draft-2020-12", "schema": object{"$ref": string(name) + ".json"}},
		"examples": []object{{"headers": header, "payload": json.RawMessage(body)}},
	}
}

func headerSchema() object {
	properties, required := object{}, []string{}
	for _, field := range headerFields {
		properties[field.name] = object{"type": "string", "description": field.description}
		if field.isRequired {
			required = append(required, field.name)
		}
	}
	return object{"type": "object", "properties": properties, "required": required}
}
