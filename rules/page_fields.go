package rules

import (
	"slices"

	"github.com/sidehook/sidehook/rules/jsonpath"
	"github.com/sidehook/sidehook/rules/strictyaml"
)

// pageFields are the gjson paths of a page: At and Count in the response, the rest
// in the page.
type pageFields struct {
	At     string `yaml:"at"`
	Count  string `yaml:"count"`
	ID     string `yaml:"id"`
	Number string `yaml:"number"`
	Name   string `yaml:"name"`
	Items  string `yaml:"items"`
}

// itemFields are the gjson paths in an item, and which types are content.
type itemFields struct {
	ID       string            `yaml:"id"`
	Type     string            `yaml:"type"`
	Content  []string          `yaml:"content"`
	Question string            `yaml:"question"`
	Text     map[string]string `yaml:"text"`
	Optional string            `yaml:"optional"`
	Required string            `yaml:"required"`
	Label    string            `yaml:"label"`
	Options  optionFields      `yaml:"options"`
}

// surveyFields is the gjson path of the list of all items in the response of
// survey_shown.
type surveyFields struct {
	Items string `yaml:"items"`
}

// optionFields are the gjson paths of what can be chosen: At in the item, the rest in
// each option.
type optionFields struct {
	At    string `yaml:"at"`
	Value string `yaml:"value"`
	Label string `yaml:"label"`
}

// checkFields checks the gjson paths of pages and items. A profile without pages, or
// whose pages have nothing but an id, needs none.
func checkFields(doc *strictyaml.Document, file profileFile, hasPages bool) {
	required := map[string]string{}
	if hasPages && file.Page != (pageFields{}) {
		required["page.at"] = file.Page.At
	}
	if file.Page.Items != "" || file.Survey.Items != "" {
		required["item.id"] = file.Item.ID
	}
	for path, gjson := range required {
		checkField(doc, path, gjson)
	}
	optional := map[string]string{
		"page.count": file.Page.Count, "page.name": file.Page.Name,
		"page.id": file.Page.ID, "page.number": file.Page.Number, "page.items": file.Page.Items,
		"item.type": file.Item.Type, "item.question": file.Item.Question, "item.optional": file.Item.Optional,
		"survey.items": file.Survey.Items, "item.required": file.Item.Required, "item.label": file.Item.Label,
		"item.options.at": file.Item.Options.At, "item.options.value": file.Item.Options.Value, "item.options.label": file.Item.Options.Label,
	}
	for kind, gjson := range file.Item.Text {
		optional["item.text."+kind] = gjson
		if !slices.Contains(file.Item.Content, kind) {
			doc.Wrong("item.text."+kind, "is the text of no content item; add %s to item.content", kind)
		}
	}
	for path, gjson := range optional {
		if gjson != "" {
			checkField(doc, path, gjson)
		}
	}
}

func checkField(doc *strictyaml.Document, path, gjson string) {
	if err := jsonpath.CheckPath(gjson); err != nil {
		doc.Wrong(path, "%s", err)
	}
}
