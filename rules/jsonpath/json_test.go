package jsonpath

import (
	"errors"
	"strings"
	"testing"
)

func TestForeignJSONIsCheckedBeforeGjsonSeesIt(t *testing.T) {
	f := func(data string, want error) {
		t.Helper()
		if err := CheckJSON([]byte(data)); !errors.Is(err, want) {
			t.Errorf("CheckJSON(%.40q) = %v, want %v", data, err, want)
		}
	}
	f(`{"page":{"id":"a"}}`, nil)
	f(strings.Repeat("[", maxDepth)+strings.Repeat("]", maxDepth), nil)
	f(`"`+strings.Repeat("[", 1000)+`\""`, nil) // brackets in a string nest nothing
	f(strings.Repeat("[", maxDepth+1)+strings.Repeat("]", maxDepth+1), errTooDeep)
	f(strings.Repeat("[", 8<<20), errTooDeep) // this ends the process in gjson.Valid
	f(``, errInvalidJSON)
	f(`not json {"a":1}`, errInvalidJSON)
	f(`{"a":1`, errInvalidJSON)
	f(`{"a":tru}`, errInvalidJSON)
	f(`"\`, errInvalidJSON)
}

func FuzzCheckJSON(f *testing.F) {
	f.Add([]byte(`{"a":["\"",{"b":null}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if CheckJSON(data) == nil && depth(data) > maxDepth {
			t.Errorf("JSON of depth %d was let through", depth(data))
		}
	})
}
