package rules

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"
)

func TestAPageIsReadAsDecsysReadsIt(t *testing.T) {
	profile := decsys(t)
	f := func(json string, want *Page) {
		t.Helper()
		got, err := profile.readPage(gjson.Parse(json), "")
		if err != nil {
			t.Errorf("%s: %v", json, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", json, diff)
		}
	}
	f(`null`, nil)
	// null and missing are nil, "" is not
	f(`{"id":"a"}`, &Page{ID: "a"})
	f(`{"id":"a","name":null,"order":null,"components":null}`, &Page{ID: "a"})
	f(`{"id":"a","name":"","order":2,"components":[]}`, &Page{ID: "a", Name: new(""), Number: 2})
	f(`{"id":"a","name":"A"}`, &Page{ID: "a", Name: new("A")})
	item := func(item string, want *Item) {
		t.Helper()
		f(`{"id":"a","components":[`+item+`]}`, &Page{ID: "a", Item: want})
	}
	item(`{"id":"i","type":"Number","isOptional":true}`, &Item{ID: "i", Type: new("Number"), Optional: true})
	item(`{"id":"i","type":"","isOptional":null}`, &Item{ID: "i", Type: new("")})
	item(`{"id":null,"type":null}`, &Item{})
	item(`{}`, &Item{})

	question := func(items string, want *string) {
		t.Helper()
		f(`{"id":"a","components":[`+items+`]}`, &Page{ID: "a", Question: want})
	}
	question(``, nil)
	question(`{"type":"heading","params":{"text":"Q"}}`, new("Q"))
	question(`{"type":"image","params":{"questionContent":"Q"}}`, new("Q"))
	question(`{"type":"heading","params":{"text":null}}`, new(""))
	question(`{"type":"heading","params":{}}`, new(""))
	question(`{"type":"heading","params":null}`, new(""))
	// the one marked as the question, or else the first
	question(`{"type":"heading","params":{"text":"A"}},{"type":"paragraph","params":{"text":"B"}}`, new("A"))
	question(`{"type":"heading","params":{"text":"A"}},{"type":"paragraph","params":{"text":"B"},"isQuestionItem":true}`, new("B"))
}
