package rules

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"github.com/sidehook/sidehook/rules/jsonpath"
)

// Page is the definition of a page, as the participant saw it.
type Page struct {
	ID     string `json:"id"`
	Number int    `json:"number"`
	// Name is nil where the app has none: its name is null or missing.
	Name *string `json:"name"`
	// Question is the text of the page's question, nil if the page has no content.
	Question *string `json:"question"`
	// Item takes the page's response, nil if it takes none. More are the other items that
	// take one.
	Item *Item  `json:"item"`
	More []Item `json:"more,omitempty"`
}

// Item is the item of a page that takes a response.
type Item struct {
	ID string `json:"id"`
	// Type is nil where the app has none.
	Type     *string `json:"type"`
	Optional bool    `json:"optional"`
	// Question is the item's own text, nil if it has that of the page.
	Question *string `json:"question,omitempty"`
	// Options are what can be chosen, as far as the app shows it.
	Options []Option `json:"options,omitempty"`
}

// takesSeveral reports whether a form has all of several answers to the item: it is a
// list, or boxes with one name.
func (i *Item) takesSeveral() bool {
	if i.Type == nil {
		return false
	}
	return *i.Type == "select-multiple" || *i.Type == "checkbox" && len(i.Options) > 1
}

// Option is what can be chosen.
type Option struct {
	Value string `json:"value"`
	Label string `json:"label"`
}

// items returns all items that take a response.
func (p *Page) items() []Item {
	if p.Item == nil {
		return nil
	}
	return append([]Item{*p.Item}, p.More...)
}

// Bounds of the texts of a page, in bytes: an event has a question for each item.
const (
	// maxText is how much of a question, a name or a label is kept, and leastText how
	// much at least of each where together they are longer than maxTexts.
	maxText   = 4 << 10
	maxTexts  = 256 << 10
	leastText = 64
)

// What a page or an item, and an option, take beside their texts, in bytes.
const (
	pageOverhead   = 96
	optionOverhead = 32
)

// cutMark ends a text that is cut.
const cutMark = "…"

// cut returns a copy of a text of at most limit bytes, with a mark if it was longer.
func cut(text string, limit int) string {
	if len(text) <= limit {
		return strings.Clone(text)
	}
	end := limit - len(cutMark)
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + cutMark
}

// cutTexts cuts the questions of the page's items where together they are too long: each
// of them, since an event has all.
func (p *Page) cutTexts() {
	together, items := 0, p.items()
	for i := range items {
		if question := cmp.Or(items[i].Question, p.Question); question != nil {
			together += len(*question)
		}
	}
	if together <= maxTexts {
		return
	}
	limit := max(leastText, maxTexts/len(items))
	p.Question = cutTo(p.Question, limit)
	p.Item.Question = cutTo(p.Item.Question, limit)
	for i := range p.More {
		p.More[i].Question = cutTo(p.More[i].Question, limit)
	}
}

func cutTo(text *string, limit int) *string {
	if text == nil {
		return nil
	}
	return new(cut(*text, limit))
}

// maxItems is how many items of a page, and options of an item, are kept.
const maxItems = 1000

var (
	errNoPage        = errors.New("the app's response has no page, not even null for a survey that is completed")
	errPageWithoutID = errors.New("the page in the app's response has no id")
)

// readPage reads the definition of a page, whose id may be known; nil for null, which
// completes the survey. A response without a page says nothing of the kind: it may
// report an error.
func (p *Profile) readPage(json gjson.Result, id string) (*Page, error) {
	switch {
	case !json.Exists():
		return nil, errNoPage
	case json.Type == gjson.Null:
		return nil, nil
	}
	page := &Page{
		ID:     strings.Clone(cmp.Or(id, jsonpath.In(json, p.page.ID).String())),
		Number: int(jsonpath.In(json, p.page.Number).Int()),
		Name:   readText(jsonpath.In(json, p.page.Name)),
	}
	if page.ID == "" {
		return nil, errPageWithoutID
	}
	if p.page.Number == "" {
		page.Number = pageOf(page.ID).Number
	}
	items := jsonpath.In(json, p.page.Items).Array()
	page.Question = p.readQuestion(items)
	p.readItems(page, items)
	return page, nil
}

// readItems adds the items that take a response.
func (p *Profile) readItems(page *Page, items []gjson.Result) {
	for _, item := range items {
		switch {
		case !p.takesResponse(item):
		case page.Item == nil:
			page.Item = new(p.readItem(item))
		case len(page.More) < maxItems:
			page.More = append(page.More, p.readItem(item))
		}
	}
	page.cutTexts()
}

func (p *Profile) takesResponse(item gjson.Result) bool {
	return !slices.Contains(p.item.Content, jsonpath.In(item, p.item.Type).String())
}

func (p *Profile) readItem(item gjson.Result) Item {
	read := Item{
		ID:       strings.Clone(jsonpath.In(item, p.item.ID).String()),
		Type:     readText(jsonpath.In(item, p.item.Type)),
		Optional: jsonpath.In(item, p.item.Optional).Bool(),
		Question: readText(jsonpath.In(item, p.item.Label)),
	}
	if p.item.Required != "" {
		read.Optional = !jsonpath.In(item, p.item.Required).Exists()
	}
	for _, option := range jsonpath.In(item, p.item.Options.At).Array() {
		if len(read.Options) < maxItems {
			value, label := jsonpath.In(option, p.item.Options.Value).String(), jsonpath.In(option, p.item.Options.Label).String()
			read.Options = append(read.Options, Option{strings.Clone(value), cut(label, maxText)})
		}
	}
	return read
}

// size is about what the page takes in memory, in bytes.
func (p *Page) size() (size int) {
	length := func(text *string) int {
		if text == nil {
			return 0
		}
		return len(*text)
	}
	size = pageOverhead + len(p.ID) + length(p.Name) + length(p.Question)
	for _, item := range p.items() {
		size += pageOverhead + len(item.ID) + length(item.Type) + length(item.Question)
		for _, option := range item.Options {
			size += optionOverhead + len(option.Value) + len(option.Label)
		}
	}
	return size
}

// readQuestion returns the text of the content item that is marked as the
// question, or else of the first one: "" if that has none, and nil if there is no
// content. Decsys does the same (its Services/ParticipantEventService.cs).
func (p *Profile) readQuestion(items []gjson.Result) *string {
	content := slices.DeleteFunc(slices.Clone(items), p.takesResponse)
	if len(content) == 0 {
		return nil
	}
	marked := slices.IndexFunc(content, func(item gjson.Result) bool { return jsonpath.In(item, p.item.Question).Bool() })
	question := content[max(marked, 0)]
	text := jsonpath.In(question, p.item.Text[jsonpath.In(question, p.item.Type).String()]).String()
	return new(cut(text, maxText))
}

// readText returns the text of a JSON value, which may be cut; nil for null and for a
// value that is missing.
func readText(value gjson.Result) *string {
	if value.Type == gjson.Null {
		return nil
	}
	return new(cut(value.String(), maxText))
}
