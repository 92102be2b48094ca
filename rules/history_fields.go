package rules

import (
	"slices"
	"strings"

	"github.com/sidehook/sidehook/rules/strictyaml"
)

// history is how a participant's past is read from the app.
type history struct {
	historyFields
	// kinds are the kinds of the app's types of events.
	kinds map[string]Kind
}

// historyFields are the paths to GET, and the gjson paths in the responses. In a
// path to GET, {x} is a parameter: see historyParams.
type historyFields struct {
	// Begins is the id of a participant that the app creates, in the response of
	// page_shown.
	Begins string `yaml:"begins"`
	// Pages is the survey's definition, and PagesAt the list of pages in it.
	Pages   string `yaml:"pages"`
	PagesAt string `yaml:"pages_at"`
	// Parent is the id of the study that the survey is part of, and Children are the
	// instances of a study's surveys; both in the response of Pages.
	Parent   string `yaml:"parent"`
	Children string `yaml:"children"`
	// Events is the list of all events. For apps without one, LastOfType is the last
	// event of a type, and Last that of a type and source.
	Events     string      `yaml:"events"`
	LastOfType string      `yaml:"last_of_type"`
	Last       string      `yaml:"last"`
	Event      eventFields `yaml:"event"`
	// Types are the app's names of the types of events.
	Types typeNames `yaml:"types"`
}

// eventFields are the gjson paths in an event.
type eventFields struct {
	Type    string `yaml:"type"`
	Source  string `yaml:"source"`
	At      string `yaml:"at"`
	Answer  string `yaml:"answer"`
	Reached string `yaml:"reached"`
}

// typeNames are the app's names of the types of events.
type typeNames struct {
	PageLoaded string `yaml:"page_loaded"`
	Answered   string `yaml:"answered"`
	Navigated  string `yaml:"navigated"`
}

// historyParams are the parameters that a path to GET may have.
var historyParams = []string{"survey", "instance", "participant", "source", "type"}

// compileHistory compiles the history of a profile; nil if it has none.
func compileHistory(doc *strictyaml.Document, file *historyFields) *history {
	if file == nil {
		return nil
	}
	file.checkPaths(doc)
	file.checkFields(doc)
	return &history{historyFields: *file, kinds: file.Types.compile(doc)}
}

// checkPaths checks the paths to GET.
func (file *historyFields) checkPaths(doc *strictyaml.Document) {
	for path, template := range map[string]string{
		"pages": file.Pages, "events": file.Events, "last_of_type": file.LastOfType, "last": file.Last,
	} {
		checkTemplate(doc, "history."+path, template)
	}
	if file.Events == "" && (file.Last == "" || file.LastOfType == "") {
		doc.Wrong("history", "must have events, or last and last_of_type")
	}
	if file.Pages == "" {
		doc.Wrong("history.pages", "is missing")
	}
}

// checkFields checks the gjson paths.
func (file *historyFields) checkFields(doc *strictyaml.Document) {
	for path, gjson := range map[string]string{
		"pages_at": file.PagesAt, "event.type": file.Event.Type, "event.source": file.Event.Source,
		"event.at": file.Event.At, "event.answer": file.Event.Answer, "event.reached": file.Event.Reached,
	} {
		checkField(doc, "history."+path, gjson)
	}
	for path, gjson := range map[string]string{"begins": file.Begins, "parent": file.Parent, "children": file.Children} {
		if gjson != "" {
			checkField(doc, "history."+path, gjson)
		}
	}
	if (file.Parent == "") != (file.Children == "") {
		doc.Wrong("history.parent", "goes with history.children, and neither without the other")
	}
}

// compile returns the kind of each type of event.
func (names typeNames) compile(doc *strictyaml.Document) map[string]Kind {
	kinds := map[string]Kind{}
	for _, name := range []struct {
		key, text string
		kind      Kind
	}{
		{"page_loaded", names.PageLoaded, PageLoaded},
		{"answered", names.Answered, Answered},
		{"navigated", names.Navigated, Navigated},
	} {
		if name.text == "" {
			doc.Wrong("history.types."+name.key, "is missing; it is what the app calls such an event")
		}
		kinds[name.text] = name.kind
	}
	return kinds
}

// checkTemplate checks a path to GET and its parameters.
func checkTemplate(doc *strictyaml.Document, path, template string) {
	if template == "" {
		return
	}
	if !strings.HasPrefix(template, "/") {
		doc.Wrong(path, "must be a path, such as /api/surveys/{survey}, not %q", template)
	}
	for rest := template; ; {
		_, after, found := strings.Cut(rest, "{")
		if !found {
			return
		}
		name, tail, closed := strings.Cut(after, "}")
		if !closed || !slices.Contains(historyParams, name) {
			doc.Wrong(path, "may have {%s}, not {%s}", strings.Join(historyParams, "}, {"), name)
			return
		}
		rest = tail
	}
}
