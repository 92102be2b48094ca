package admin

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"mime"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/sidehook/sidehook/emitter/live"
	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/emitter/sample"
	"github.com/sidehook/sidehook/rules/funnel"
)

const apiPath = "../schema/openapi.json"

// document is the published OpenAPI document of the API.
type document struct {
	Paths      map[string]map[string]json.RawMessage
	Components struct {
		Schemas map[string]struct {
			Required   []string
			Properties map[string]any
		}
	}
	whole    any
	compiler *jsonschema.Compiler
	// operations finds the operation of a request, as the API itself does.
	operations *http.ServeMux
}

func readDocument(t *testing.T) *document {
	t.Helper()
	content, err := os.ReadFile(apiPath)
	if err != nil {
		t.Fatal(err)
	}
	d := &document{compiler: jsonschema.NewCompiler(), operations: http.NewServeMux()}
	d.compiler.AssertFormat()
	if err := errors.Join(json.Unmarshal(content, d), json.Unmarshal(content, &d.whole)); err != nil {
		t.Fatal(err)
	}
	for _, pattern := range d.patterns() {
		d.operations.HandleFunc(pattern, http.NotFound)
	}
	return d
}

// patterns returns the operations as patterns of a ServeMux.
func (d *document) patterns() (list []string) {
	for path, operations := range d.Paths {
		for method := range operations {
			list = append(list, strings.ToUpper(method)+" "+path)
		}
	}
	return list
}

// check reports a response that the document does not allow.
func (d *document) check(t *testing.T, response *http.Response, body string) {
	t.Helper()
	request := response.Request
	_, pattern := d.operations.Handler(request)
	if strings.HasPrefix(request.URL.Path, "/debug/pprof/") {
		return // for developers, and as Go has it
	}
	if pattern == "" {
		if response.StatusCode != http.StatusNotFound && response.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("%s %s is not in the document, and responds with status %d", request.Method, request.URL, response.StatusCode)
		}
		return
	}
	method, path, _ := strings.Cut(pattern, " ")
	pointer := "/paths/" + escapePointer(path) + "/" + strings.ToLower(method) + "/responses/" + strconv.Itoa(response.StatusCode)
	if d.find(pointer) == nil {
		t.Errorf("%s: status %d is not in the document", pattern, response.StatusCode)
		return
	}
	if ref, isRef := d.find(pointer + "/$ref").(string); isRef {
		pointer = strings.TrimPrefix(ref, "#")
	}
	kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	content := pointer + "/content/" + escapePointer(kind)
	if kind != "" && d.find(content) == nil {
		t.Errorf("%s: status %d has the content type %q, which is not in the document", pattern, response.StatusCode, kind)
		return
	}
	if kind == "application/json" {
		d.validate(t, pattern, content+"/schema", body)
	}
}

// validate reports JSON that the schema at pointer does not allow.
func (d *document) validate(t *testing.T, what, pointer, text string) {
	t.Helper()
	schema, err := d.compiler.Compile(apiPath + "#" + pointer)
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(value); err != nil {
		t.Errorf("%s: the response is not as in the document: %v\n%s", what, err, text)
	}
}

// find returns what is at a pointer (RFC 6901), nil if there is nothing.
func (d *document) find(pointer string) any {
	value := d.whole
	for _, key := range strings.Split(pointer, "/")[1:] {
		object, _ := value.(map[string]any)
		value = object[strings.NewReplacer("~1", "/", "~0", "~").Replace(key)]
	}
	return value
}

func escapePointer(key string) string { return strings.NewReplacer("~", "~0", "/", "~1").Replace(key) }

func TestTheOpenAPIDocumentHasAllEndpointsAndNoOther(t *testing.T) {
	s := newServer(t)
	want := []string{"GET /live", "GET /ready", "GET /metrics"}
	want = slices.Sorted(slices.Values(slices.AppendSeq(want, maps.Keys(s.endpoints()))))
	if diff := cmp.Diff(want, slices.Sorted(slices.Values(readDocument(t).patterns()))); diff != "" {
		t.Errorf("the operations (-API +document):\n%s", diff)
	}
}

func TestTheOpenAPIDocumentHasTheFieldsOfAllTypes(t *testing.T) {
	d := readDocument(t)
	types := map[string]any{
		"Status": Status{}, "Problem": Problem{}, "AppStatus": AppStatus{}, "StoreStatus": StoreStatus{}, "Activity": live.Snapshot{}, "Minute": live.Minute{},
		"Target": Target{}, "TestAnswer": sample.Answer{}, "Configuration": Configuration{}, "Reload": Reload{}, "Delivery": Delivery{}, "DeliveryDetail": DeliveryDetail{},
		"Failure": Failure{}, "DeliveryList": DeliveryList{}, "CauseList": CauseList{}, "Cause": Cause{}, "BulkResult": BulkResult{},
		"Survey": Survey{}, "SurveyList": SurveyList{}, "Funnel": Funnel{}, "SurveyPage": SurveyPage{}, "SurveyDay": SurveyDay{},
		"ForgetRequest": ForgetRequest{}, "Erased": Erased{}, "Damaged": Damaged{}, "Entry": live.Entry{},
		"ReplicaList": ReplicaList{}, "Replica": Replica{},
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(types)), slices.Sorted(maps.Keys(d.Components.Schemas))); diff != "" {
		t.Errorf("the types (-API +document):\n%s", diff)
	}
	for name, value := range types {
		schema, fields := d.Components.Schemas[name], fieldsOf(reflect.TypeOf(value))
		slices.Sort(schema.Required)
		required := slices.DeleteFunc(slices.Sorted(maps.Keys(fields)), func(field string) bool { return fields[field] })
		if diff := cmp.Diff(slices.Sorted(maps.Keys(fields)), slices.Sorted(maps.Keys(schema.Properties))); diff != "" {
			t.Errorf("%s: the fields (-API +document):\n%s", name, diff)
		}
		if diff := cmp.Diff(required, schema.Required); diff != "" {
			t.Errorf("%s: the fields that are never left out (-API +document):\n%s", name, diff)
		}
	}
}

// fieldsOf returns the names that a struct's fields have in JSON, and whether each may be left out.
func fieldsOf(of reflect.Type) map[string]bool {
	fields := map[string]bool{}
	for i := range of.NumField() {
		field := of.Field(i)
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		switch {
		case field.Anonymous:
			maps.Copy(fields, fieldsOf(field.Type))
		case name != "-":
			fields[name] = strings.Contains(options, "omitempty")
		}
	}
	return fields
}

func TestSuccessesAreAsInTheOpenAPIDocument(t *testing.T) {
	s := newServer(t)
	s.change(t, func(tx *outbox.Tx) {
		tx.Dead(1, outbox.Attempt{At: time.Now(), Status: 500, Reason: "status 500"})
		tx.Enqueue(outbox.Delivery{ID: "msg_2", Target: "crm", Body: []byte("{}"), Created: time.Now(), Traceparent: "00-1-2-01"})
	})
	s.count(outbox.SurveyNames{ID: "5", Instance: "3", FriendlyID: "fzd"}, funnel.Left, 23, "p", "Consent")
	s.config.Activity.Recorded(live.Entry{Event: "completion"})
	f := func(method, path, body string) {
		t.Helper()
		status, text := s.request(method, path, func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(body)) })
		if status >= http.StatusMultipleChoices {
			t.Errorf("%s %s: status %d, %s", method, path, status, text)
		}
	}
	f("GET", "/status", "")
	f("GET", "/deliveries/msg_1", "")
	f("GET", "/deliveries/msg_2?body", "")
	f("GET", "/deliveries/causes", "")
	f("GET", "/damaged", "")
	f("GET", "/surveys", "")
	f("GET", "/surveys.csv", "")
	f("GET", "/surveys/5/3", "")
	f("GET", "/surveys/5/3.csv?by=day", "")
	f("POST", "/try", "{}")
	f("POST", "/forget", `{"participant": "p"}`)
	f("POST", "/targets/crm/disable", "")
}
