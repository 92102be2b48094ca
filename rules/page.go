package rules

import (
	"cmp"
	"errors"
	"slices"

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
		ID:     cmp.Or(id, jsonpath.In(json, p.page.ID).String()),
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
}

func (p *Profile) takesResponse(item gjson.Result) bool {
	return !slices.Contains(p.item.Content, jsonpath.In(item, p.item.Type).String())
}

func (p *Profile) readItem(item gjson.Result) Item {
	read := Item{
		ID:       jsonpath.In(item, p.item.ID).String(),
		Type:     readText(jsonpath.In(item, p.item.Type)),
		Optional: jsonpath.In(item, p.item.Optional).Bool(),
		Question: readText(jsonpath.In(item, p.item.Label)),
	}
	if p.item.Required != "" {
		read.Optional = !jsonpath.In(item, p.item.Required).Exists()
	}
	for _, option := range jsonpath.In(item, p.item.Options.At).Array() {
		if len(read.Options) < maxItems {
			read.Options = append(read.Options, Option{jsonpath.In(option, p.item.Options.Value).String(), jsonpath.In(option, p.item.Options.Label).String()})
		}
	}
	return read
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
	return &text
}

// readText returns the text of a JSON value, or nil for null and for a value that is missing.
func readText(value gjson.Result) *string {
	if value.Type == gjson.Null {
		return nil
	}
	return new(value.String())
}
