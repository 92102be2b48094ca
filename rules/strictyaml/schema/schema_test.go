package schema

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type office struct {
	Name  string          `yaml:"name"`
	Rooms map[string]room `yaml:"rooms"`
	Spare *room           `yaml:"spare"`
}

type room struct {
	Seats  int    `yaml:"seats"`
	Labels labels `yaml:"labels"`
}

type labels []string

func (labels) ScalarOrList() {}

const officeManual = `
# What the office is called,
# in words.
name: Annex
rooms:   # by name
  window:
    seats: 2   # default
    # What is written on its door.
    labels: [blue]
`

func writeOffice(t *testing.T, w Writer, source string) (string, error) {
	t.Helper()
	manual, err := ReadManual("office.yaml", []byte(source), &office{})
	if err != nil {
		t.Fatal(err)
	}
	w.Manual, w.SameAs = manual, strings.NewReplacer("spare", "rooms.*")
	text, err := w.Write("id", "An office", office{})
	return string(text), err
}

func TestASchemaHasTheTypesOfTheStructAndTheWordsOfTheManual(t *testing.T) {
	const want = `{"$id": "id", "$schema": "http://json-schema.org/draft-07/schema#", "title": "An office",
		"type": "object", "additionalProperties": false, "properties": {
			"name": {"type": ["string", "number", "boolean"], "minLength": 1, "description": "What the office is called, in words."},
			"rooms": {"type": "object", "description": "by name", "propertyNames": {"pattern": "^[A-Za-z0-9_.-]{1,64}$"}, "additionalProperties": ROOM},
			"spare": {"type": "object", "description": "by name", SPARE}}}`
	const room = `"additionalProperties": false, "properties": {
		"seats": {"type": "integer", "description": "by name"DEFAULT},
		"labels": {"description": "What is written on its door.", "anyOf": [LABEL, {"type": "array", "items": LABEL}]}}`
	texts := strings.NewReplacer("ROOM", `{"type": "object", `+strings.Replace(room, "DEFAULT", `, "default": 2`, 1)+"}", "SPARE", strings.Replace(room, "DEFAULT", "", 1))
	expected := strings.ReplaceAll(texts.Replace(want), "LABEL", `{"type": ["string", "number", "boolean"]}`)

	got, err := writeOffice(t, Writer{Narrowed: map[string]Schema{"name": {"minLength": 1}}}, officeManual)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(decodeJSON(t, expected), decodeJSON(t, got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestASchemaIsNotWrittenWithoutAllDescriptions(t *testing.T) {
	_, err := writeOffice(t, Writer{Narrowed: map[string]Schema{"title": {}}}, "rooms: {}   # by name\n")
	want := "the manual does not describe \"name\"\nno value matches \"title\""
	if diff := cmp.Diff(want, fmt.Sprint(err)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAPathBecomesThePatternOfItsKind(t *testing.T) {
	for path, want := range map[string]string{
		"":                       "",
		"name":                   "name",
		"rooms.window":           "rooms.*",
		"rooms.window.labels[7]": "rooms.*.labels[]",
		"spare.seats":            "spare.seats",
	} {
		if got := patternOf(reflect.TypeFor[office](), path); got != want {
			t.Errorf("%s: %s; want %s", path, got, want)
		}
	}
}

func decodeJSON(t *testing.T, text string) (value any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return value
}
