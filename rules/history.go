package rules

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/sidehook/sidehook/rules/jsonpath"
	"github.com/sidehook/sidehook/rules/strictyaml"
)

// Past is what an app says that a participant did before anybody watched.
type Past struct {
	// Pages are the pages of the survey as it is now, by id.
	Pages map[string]*Page
	// Study names the study that the survey is a part of, as Survey.Study does; empty without one.
	Study string
	// Events are in the order in which the app wrote them.
	Events []PastEvent
}

// PastEvent is one thing that a participant did.
type PastEvent struct {
	Says Says
	At   time.Time
	// Source is the page that was loaded or left, or the item that was answered.
	Source string
	// Reached is the page that a navigation led to, empty at the end.
	Reached string
	// Answer is the answer as the app stored it.
	Answer []byte
}

// Ask asks the app for a path by GET and gives the JSON of its answer, nil where
// it has none: not found, or no JSON.
type Ask func(path string) (json []byte, err error)

// history is how an app is asked for a participant's past.
type history struct {
	historyFields
	says map[string]Says
}

// historyFields are the paths to GET and the gjson paths in what they answer. In
// a path to GET, {x} stands for what the journey or the event says.
type historyFields struct {
	// Begins is a participant's id in the response of page_shown, where the app
	// has just made it up: nothing was before.
	Begins string `yaml:"begins"`
	// Pages is the survey as it is, and PagesAt where its pages lie.
	Pages   string `yaml:"pages"`
	PagesAt string `yaml:"pages_at"`
	// Parent is the id of the study that the survey is a part of, and Children are
	// the instances that a study's instance has; both where Pages leads.
	Parent   string `yaml:"parent"`
	Children string `yaml:"children"`
	// Events is the list of all events; where there is none, LastOfType and Last
	// are the last event of a type, and of a type and source.
	Events     string `yaml:"events"`
	LastOfType string `yaml:"last_of_type"`
	Last       string `yaml:"last"`
	// Event is where an event's fields lie.
	Event eventFields `yaml:"event"`
	// Types are the app's names for what an event says.
	Types typeNames `yaml:"types"`
}

type eventFields struct {
	Type    string `yaml:"type"`
	Source  string `yaml:"source"`
	At      string `yaml:"at"`
	Answer  string `yaml:"answer"`
	Reached string `yaml:"reached"`
}

type typeNames struct {
	PageLoaded string `yaml:"page_loaded"`
	Answered   string `yaml:"answered"`
	Navigated  string `yaml:"navigated"`
}

// historyParams are what a path to GET may name.
var historyParams = []string{"survey", "instance", "participant", "source", "type"}

// maxStudySearch is how many instances before a survey's own may be its study's.
const maxStudySearch = 10

var errNoPages = errors.New("the app does not tell the survey's pages")

// HasHistory tells whether the app can be asked what a participant did before.
func (p *Profile) HasHistory() bool { return p.history != nil }

// Begins gives the participant that the app has just made up in an exchange that
// says nothing yet; empty in all others.
func (p *Profile) Begins(m Match, x Exchange) string {
	if p.history == nil || p.history.Begins == "" || m.route.says != PageShown ||
		!m.route.when.holds(x) || x.Uninspected != "" || jsonpath.CheckJSON(x.ResponseBody) != nil {
		return ""
	}
	return gjson.GetBytes(x.ResponseBody, p.history.Begins).String()
}

// ReadPast asks the app what the participant did before. It asks for all events
// at once where the app has such a list; else, page by page, for the last of each
// kind. A participant who has done nothing costs one or two questions.
func (p *Profile) ReadPast(ask Ask, survey string, key Key) (*Past, error) {
	r := &pastReader{Profile: p, ask: ask, words: map[string]string{
		"survey": survey, "instance": key.Instance, "participant": key.Participant,
	}}
	past := &Past{}
	listed, err := r.list(past)
	if err != nil || listed && len(past.Events) == 0 {
		return past, err
	}
	if !listed {
		if begun, err := r.hasBegun(); err != nil || !begun {
			return past, err
		}
	}
	if err := r.readPages(past); err != nil {
		return nil, err
	}
	if !listed {
		err = r.readLast(past)
	}
	slices.SortStableFunc(past.Events, func(a, b PastEvent) int { return a.At.Compare(b.At) })
	return past, err
}

// pastReader reads one participant's past.
type pastReader struct {
	*Profile
	ask   Ask
	words map[string]string
}

// get asks for a path of the profile.
func (r *pastReader) get(template string) (gjson.Result, error) {
	if template == "" {
		return gjson.Result{}, nil
	}
	json, err := r.ask(r.fill(template))
	if err != nil || json == nil {
		return gjson.Result{}, err
	}
	if err := jsonpath.CheckJSON(json); err != nil {
		return gjson.Result{}, fmt.Errorf("the app's response %w", err)
	}
	return gjson.ParseBytes(json), nil
}

// fill puts the words into a path to GET.
func (r *pastReader) fill(template string) string {
	for name, word := range r.words {
		template = strings.ReplaceAll(template, "{"+name+"}", url.PathEscape(word))
	}
	return template
}

// list reads all events at once; ok is false where the app has no such list.
func (r *pastReader) list(past *Past) (ok bool, err error) {
	list, err := r.get(r.history.Events)
	if err != nil || !list.IsArray() {
		return false, err
	}
	for _, one := range list.Array() {
		past.add(r.readEvent(one))
	}
	return true, nil
}

// hasBegun tells whether the participant has loaded a page, or left one.
func (r *pastReader) hasBegun() (bool, error) {
	for _, name := range []string{r.history.Types.PageLoaded, r.history.Types.Navigated} {
		r.words["type"] = name
		last, err := r.get(r.history.LastOfType)
		if err != nil || last.IsObject() {
			return true, err
		}
	}
	return false, nil
}

func (r *pastReader) readPages(past *Past) error {
	survey, err := r.get(r.history.Pages)
	if err != nil {
		return err
	}
	pages := survey.Get(r.history.PagesAt)
	if !pages.IsArray() {
		return errNoPages
	}
	if parent := r.parent(survey); parent != "" {
		if past.Study, err = r.readStudy(parent); err != nil {
			return err
		}
	}
	past.Pages = map[string]*Page{}
	for _, json := range pages.Array() {
		page, err := r.readPage(json)
		if err != nil {
			return err
		}
		past.Pages[page.ID] = page
	}
	return nil
}

func (r *pastReader) parent(survey gjson.Result) string {
	if r.history.Parent == "" {
		return ""
	}
	return survey.Get(r.history.Parent).String()
}

// readStudy names the study of a survey. The survey knows the study but not the
// study's instance, which is launched just before those of its surveys: it is one
// of the instances before, and the one that says so.
func (r *pastReader) readStudy(study string) (name string, err error) {
	own := r.words["instance"]
	n, err := strconv.ParseUint(own, 10, 63)
	if err != nil {
		return study, nil
	}
	of := pastReader{Profile: r.Profile, ask: r.ask, words: map[string]string{"survey": study}}
	for instance := n - 1; instance > 0 && instance+maxStudySearch >= n; instance-- {
		of.words["instance"] = strconv.FormatUint(instance, 10)
		found, err := of.get(r.history.Pages)
		if err != nil {
			return "", err
		}
		for _, child := range found.Get(r.history.Children).Array() {
			if child.String() == own {
				return cmp.Or(r.friendly.name(study, of.words["instance"]), study), nil
			}
		}
	}
	return study, nil
}

// readLast reads the last events of each page and its item.
func (r *pastReader) readLast(past *Past) error {
	for id, page := range past.Pages {
		sources := map[string]string{r.history.Types.PageLoaded: id, r.history.Types.Navigated: id}
		if page.Item != nil {
			sources[r.history.Types.Answered] = page.Item.ID
		}
		for name, source := range sources {
			r.words["type"], r.words["source"] = name, source
			last, err := r.get(r.history.Last)
			if err != nil {
				return err
			}
			past.add(r.readEvent(last))
		}
	}
	return nil
}

// readEvent gives the event, and whether it is one that matters.
func (r *pastReader) readEvent(json gjson.Result) (e PastEvent, ok bool) {
	at, err := time.Parse(time.RFC3339Nano, json.Get(r.history.Event.At).String())
	says, known := r.history.says[json.Get(r.history.Event.Type).String()]
	if err != nil || !known {
		return PastEvent{}, false
	}
	e = PastEvent{Says: says, At: at, Source: json.Get(r.history.Event.Source).String()}
	switch says {
	case AnsweredItem:
		e.Answer = readAnswer(json.Get(r.history.Event.Answer))
	case Navigated:
		e.Reached = json.Get(r.history.Event.Reached).String()
	}
	return e, true
}

func (p *Past) add(e PastEvent, ok bool) {
	if ok {
		p.Events = append(p.Events, e)
	}
}

// compileHistory compiles the history of a profile; nil where it has none.
func compileHistory(doc *strictyaml.Document, file *historyFields) *history {
	if file == nil {
		return nil
	}
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
	h := &history{historyFields: *file, says: map[string]Says{}}
	for _, name := range []struct {
		key, text string
		says      Says
	}{
		{"page_loaded", file.Types.PageLoaded, PageLoaded},
		{"answered", file.Types.Answered, AnsweredItem},
		{"navigated", file.Types.Navigated, Navigated},
	} {
		if name.text == "" {
			doc.Wrong("history.types."+name.key, "is missing; it is what the app calls such an event")
		}
		h.says[name.text] = name.says
	}
	return h
}

// checkTemplate refuses a path to GET that names something unknown.
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
