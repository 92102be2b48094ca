package rules

import (
	"strings"

	"github.com/tidwall/gjson"

	"github.com/sidehook/sidehook/rules/bodies"
	"github.com/sidehook/sidehook/rules/jsonpath"
	"github.com/sidehook/sidehook/rules/strictyaml"
)

// ItemAnswer is an answer of a form.
type ItemAnswer struct {
	// Item is empty for the answer to the page that the participant was on.
	Item   string
	Answer []byte
	// All is the list of the answers where the form has several, of which Answer is the
	// last one; nil for one alone.
	All []byte `json:",omitempty"`
}

// answersFile is the YAML of where the answers of a form are.
type answersFile struct {
	At     string   `yaml:"at"`
	Item   string   `yaml:"item"`
	Answer string   `yaml:"answer"`
	Only   []string `yaml:"only"`
	Except []string `yaml:"except"`
	OnPage bool     `yaml:"on_page"`
}

// answers is where the answers of a form are: in an object by their items, or in a
// list, in each entry of which item and answer are gjson paths.
type answers struct {
	at           source
	item, answer string
	items        bodies.Names
	// onPage restricts them to the items of the page that the participant was on.
	onPage bool
}

func compileAnswers(doc *strictyaml.Document, path string, file *answersFile) *answers {
	if file == nil {
		return nil
	}
	a := &answers{item: file.Item, answer: file.Answer, items: bodies.Names{Only: file.Only, Except: file.Except}, onPage: file.OnPage}
	var err error
	if a.at, err = parseSource(file.At); err != nil || !a.at.from.isBody() {
		doc.Wrong(path+".at", "must be request:GJSON or response:GJSON, not %q", file.At)
	}
	if (file.Item == "") != (file.Answer == "") {
		doc.Wrong(path, "must have both item and answer, for a list of answers, or neither")
	}
	for key, gjson := range map[string]string{"item": file.Item, "answer": file.Answer} {
		if gjson != "" {
			checkField(doc, path+"."+key, gjson)
		}
	}
	return a
}

// read returns the answers in the order of the form.
func (a *answers) read(r *reading) (list []ItemAnswer) {
	at := a.at.value(r)
	var repeated map[string][]byte
	if a.at == (source{from: requestBody, name: "@this"}) {
		repeated = r.request.repeated
	}
	at.ForEach(func(key, value gjson.Result) bool {
		item := key.String()
		if a.item != "" {
			item, value = jsonpath.In(value, a.item).String(), jsonpath.In(value, a.answer)
		} else if at.IsArray() {
			return false
		}
		if item != "" && a.items.Have(item) {
			list = append(list, ItemAnswer{Item: strings.Clone(item), Answer: readAnswer(value), All: repeated[item]})
		}
		return true
	})
	return list
}
