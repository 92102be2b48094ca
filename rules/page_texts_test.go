package rules

import (
	"strings"
	"testing"
	"unicode/utf8"
	"unsafe"

	"github.com/tidwall/gjson"
)

func TestLongTextsOfPagesAreCutAtARune(t *testing.T) {
	f := func(text string, limit int, want string) {
		t.Helper()
		if got := cut(text, limit); got != want || !utf8.ValidString(got) {
			t.Errorf("%q cut to %d is %q, want %q", text, limit, got, want)
		}
	}
	f("short", 5, "short")
	f("longer", 5, "lo…")
	f("aéé", 4, "a…")
	f("aééé", 6, "aé…")
	f("ééé", 3, "…")
}

func TestTheQuestionsOfManyItemsAreBoundedTogether(t *testing.T) {
	profile := decsys(t)
	f := func(question, items, most int) {
		t.Helper()
		source := `{"id":"a","components":[{"type":"heading","params":{"text":"` + strings.Repeat("q", question) + `"}}` +
			strings.Repeat(`,{"id":"i","type":"Number"}`, items) + `]}`
		page, err := profile.readPage(gjson.Parse(source), "")
		if err != nil {
			t.Fatal(err)
		}
		if got := len(*page.Question) * len(page.items()); got > most {
			t.Errorf("a question of %d bytes is %d in an event with %d items, want at most %d", question, got, items, most)
		}
	}
	f(200, 1000, 200*1000)
	f(60_000, 1, maxText)
	f(60_000, 100, maxTexts)
	f(60_000, 1000, maxTexts)
}

func TestWhatIsKeptOfABodyDoesNotKeepTheBody(t *testing.T) {
	profile := decsys(t)
	source := `{"id":"a","name":"A","components":[{"id":"i","type":"Number"}],"more":"` + strings.Repeat("x", 1000) + `"}`
	page, err := profile.readPage(gjson.Parse(source), "")
	if err != nil {
		t.Fatal(err)
	}
	start := uintptr(unsafe.Pointer(unsafe.StringData(source)))
	for name, text := range map[string]string{"id": page.ID, "name": *page.Name, "item": page.Item.ID, "type": *page.Item.Type} {
		if at := uintptr(unsafe.Pointer(unsafe.StringData(text))); at >= start && at < start+uintptr(len(source)) {
			t.Errorf("the %s of the page is a part of the body", name)
		}
	}
}

func TestTheSizeOfAnObservationHasAllThatItKeeps(t *testing.T) {
	text := func(n int) *string { return new(strings.Repeat("x", n)) }
	o := Observation{
		Answer:  make([]byte, 1000),
		Answers: []ItemAnswer{{Item: *text(1000), Answer: make([]byte, 1000), All: make([]byte, 1000)}},
		Page: &Page{
			ID: "a", Name: text(1000), Question: text(1000),
			Item: &Item{ID: *text(1000), Type: text(1000), Question: text(1000)},
			More: []Item{{ID: "i", Options: []Option{{Value: *text(1000), Label: *text(1000)}}}},
		},
	}
	if got := o.Size(); got < 11*1000 || got > 13*1000 {
		t.Errorf("the size is %d, want about 11000", got)
	}
}

func TestLabelsOfAListAreNoMoreThanTheOptions(t *testing.T) {
	r := Response{Answer: []byte("[" + strings.Repeat(`"a",`, 1000) + `"b"]`), Options: []Option{{"a", "A"}, {"a", "other"}, {"b", "B"}}}
	want := `["A"` + strings.Repeat(",null", 999) + `,"B"]`
	if got := string(appendLabel(nil, &r)); got != want {
		t.Errorf("labels are %.60s, want %.60s", got, want)
	}
	if got := string(appendLabel(nil, &Response{Answer: []byte(`"b"`), Options: r.Options})); got != `"B"` {
		t.Errorf("the label is %s", got)
	}
}
