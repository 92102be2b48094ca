package rules

import (
	"slices"
	"strings"

	"github.com/sidehook/sidehook/rules/strictyaml"
)

// routeFile is the YAML of a route.
type routeFile struct {
	On      string            `yaml:"on"`
	Says    string            `yaml:"says"`
	When    string            `yaml:"when"`
	If      conditionList     `yaml:"if"`
	IDs     map[string]string `yaml:"ids"`
	Answer  string            `yaml:"answer"`
	Answers *answersFile      `yaml:"answers"`
	Attempt string            `yaml:"attempt"`
	Outcome string            `yaml:"outcome"`
	Key     *keyFile          `yaml:"key"`
	KnownAs string            `yaml:"known_as"`
	Hint    string            `yaml:"hint"`
}

// keyFile is the YAML of where a page's key is.
type keyFile struct {
	Served string `yaml:"served"`
	Posted string `yaml:"posted"`
}

// kinds are what a route can say, and requiredIDs what it has to name then.
var (
	kinds       = []Kind{PageShown, PageLoaded, Answered, Navigated, Reached, Completed, SurveyShown}
	requiredIDs = map[Kind][]string{PageLoaded: {"participant", "page"}, SurveyShown: {"survey"}}
)

// Kinds returns what an exchange can say.
func Kinds() []Kind { return slices.Clone(kinds) }

// idNames are the ids that a route may read from an exchange.
var idNames = []string{"survey", "instance", "participant", "page", "item"}

// compileRoutes compiles a route for each of the methods and paths of `on`.
func compileRoutes(doc *strictyaml.Document, path string, file routeFile, friendly friendlyID) (list []*route) {
	for on := range strings.SplitSeq(file.On, alternative) {
		list = append(list, compileRoute(doc, path, on, file, friendly))
	}
	return list
}

func compileRoute(doc *strictyaml.Document, path, on string, file routeFile, friendly friendlyID) *route {
	r, err := parseRoute(on)
	if err != nil {
		doc.Wrong(path+".on", "%s", err)
		return &route{}
	}
	r.kind, r.hint, r.friendly = Kind(file.Says), file.Hint, friendly
	r.when = compileCondition(doc, path+".when", file.When)
	r.only = compileConditions(doc, path+".if", file.If)
	r.ids = map[string][]source{}
	for name, text := range file.IDs {
		if !slices.Contains(idNames, name) {
			doc.Wrong(path+".ids."+name, "is not an id; the ids are %s", strings.Join(idNames, ", "))
		}
		r.ids[name] = compileSources(doc, path+".ids."+name, text)
	}
	r.compileAnswers(doc, path, file)
	r.compileAttempt(doc, path, file)
	if !slices.Contains(kinds, r.kind) {
		doc.Wrong(path+".says", "must be %s, not %q", kindNames(), file.Says)
	} else {
		r.requireIDs(doc, path)
	}
	if r.kind == Completed && r.when.isRedirect() && !r.only.readResponse() {
		doc.Wrong(path+".if", "must have a condition on the response, such as location = */thanks*, since a redirect alone may lead anywhere")
	}
	return r
}

func kindNames() string {
	names := make([]string, len(kinds))
	for i, kind := range kinds {
		names[i] = string(kind)
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}

// requireIDs refuses a route that lacks a required id.
func (r *route) requireIDs(doc *strictyaml.Document, path string) {
	required := requiredIDs[r.kind]
	if required == nil {
		required = []string{"participant"}
	}
	if r.kind == Answered && r.answers == nil {
		required = append(required, "item")
	}
	for _, name := range required {
		if !r.names(name) {
			doc.Wrong(path+".on", "must have {%s}, or ids.%s, since it says %s", name, name, r.kind)
		}
	}
	if r.hasParam(friendlyParam) && r.friendly.ids == nil {
		doc.Wrong(path+".on", "must not have {%s} in a profile without friendly_ids", friendlyParam)
	}
}

func (r *route) compileAnswers(doc *strictyaml.Document, path string, file routeFile) {
	r.answers = compileAnswers(doc, path+".answers", file.Answers)
	switch {
	case file.Answer == "" && r.answers == nil && r.kind == Answered:
		doc.Wrong(path+".answer", "is missing; an answered route needs request:GJSON or response:GJSON, such as request:@this, or answers")
	case file.Answer != "" && r.answers != nil:
		doc.Wrong(path+".answer", "is one answer, and answers those of a form; remove one of them")
	case file.Answer != "":
		s, err := parseSource(file.Answer)
		if err != nil || !s.from.isBody() {
			doc.Wrong(path+".answer", "must be request:GJSON or response:GJSON, not %q", file.Answer)
		}
		r.answer = s
	}
}

func (r *route) compileAttempt(doc *strictyaml.Document, path string, file routeFile) {
	r.attempt, r.outcome = attempt(file.Attempt), Outcome(file.Outcome)
	if !slices.Contains([]attempt{sameAttempt, newAttempt, resumedAttempt}, r.attempt) {
		doc.Wrong(path+".attempt", "must be %s or %s, not %q", newAttempt, resumedAttempt, file.Attempt)
	}
	switch {
	case r.outcome != "" && r.outcome != ScreenedOut:
		doc.Wrong(path+".outcome", "must be %s, not %q", ScreenedOut, file.Outcome)
	case r.outcome != "" && r.kind != Completed:
		doc.Wrong(path+".outcome", "is for routes that say completed")
	}
	if file.KnownAs != "" {
		r.knownAs = compileSources(doc, path+".known_as", file.KnownAs)
	}
	if file.Key == nil {
		return
	}
	if file.Key.Served != "" {
		r.served = compileSources(doc, path+".key.served", file.Key.Served)
	}
	if file.Key.Posted != "" {
		r.posted = compileSources(doc, path+".key.posted", file.Key.Posted)
	}
}

// group returns the routes that requests are matched with, each with those of the
// same method and path as its alternatives.
func group(routes []*route) (heads []*route) {
	byPath := map[string]*route{}
	for _, r := range routes {
		head := byPath[r.on()]
		if head == nil {
			head = r
			byPath[r.on()] = r
			heads = append(heads, r)
		}
		head.alternatives = append(head.alternatives, r)
		head.hasQuery = head.hasQuery || r.has(query)
	}
	return heads
}
