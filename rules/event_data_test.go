package rules

import (
	"testing"

	"github.com/tidwall/gjson"

	"github.com/sidehook/sidehook/rules/config"
)

// What an event has, a when may begin with.
func TestEveryNameOfAnEventIsKnown(t *testing.T) {
	e := &Event{From: PageRef{ID: "one"}, To: &PageRef{ID: "two"}}
	names := 0
	f := func(path string) {
		if names++; config.CheckWhen(path) != nil {
			t.Errorf("%s: %v", path, config.CheckWhen(path))
		}
	}
	gjson.ParseBytes(e.Data()).ForEach(func(name, value gjson.Result) bool {
		f(name.String())
		if value.IsObject() {
			value.ForEach(func(inner, _ gjson.Result) bool { f(name.String() + "." + inner.String()); return true })
		}
		return true
	})
	if names < 20 {
		t.Errorf("only %d names were found", names)
	}
}
