package rules

import (
	"slices"

	"github.com/sidehook/sidehook/rules/strictyaml"
)

// routeFile is the YAML of a route.
type routeFile struct {
	On     string            `yaml:"on"`
	Says   string            `yaml:"says"`
	When   string            `yaml:"when"`
	IDs    map[string]string `yaml:"ids"`
	Answer string            `yaml:"answer"`
	Hint   string            `yaml:"hint"`
}

// pathParams are the parameters that a route of each kind must have in its path.
var pathParams = map[Kind][]string{
	PageShown:  {},
	Navigated:  {"participant"},
	PageLoaded: {"participant", "page"},
	Answered:   {"participant", "item"},
}

// idNames are the ids that a route may read from a body.
var idNames = []string{"survey", "instance", "participant"}

func compileRoute(doc *strictyaml.Document, path string, file routeFile, friendly friendlyID) *route {
	r, err := parseRoute(file.On)
	if err != nil {
		doc.Wrong(path+".on", "%s", err)
		return &route{}
	}
	r.kind, r.hint, r.friendly = Kind(file.Says), file.Hint, friendly
	if required, ok := pathParams[r.kind]; !ok {
		doc.Wrong(path+".says", "must be page_shown, page_loaded, answered or navigated, not %q", file.Says)
	} else {
		r.requireParams(doc, path, required)
	}
	r.when = compileCondition(doc, path+".when", file.When)
	r.ids = map[string]bodyPath{}
	for name, text := range file.IDs {
		r.ids[name] = compileID(doc, path+".ids."+name, name, text)
	}
	r.compileAnswer(doc, path+".answer", file.Answer)
	return r
}

// requireParams refuses a route whose path lacks a required parameter, or both
// the survey and its instance.
func (r *route) requireParams(doc *strictyaml.Document, path string, required []string) {
	for _, name := range required {
		if !r.hasParam(name) {
			doc.Wrong(path+".on", "must have {%s}, since it says %s", name, r.kind)
		}
	}
	switch {
	case r.hasParam(friendlyParam) && r.friendly.ids == nil:
		doc.Wrong(path+".on", "must not have {%s} in a profile without friendly_ids", friendlyParam)
	case !r.hasParam("survey") && !r.hasParam("instance") && !r.hasParam(friendlyParam):
		doc.Wrong(path+".on", "must have {survey} or {instance}, or {%s} for both", friendlyParam)
	}
}

func (r *route) compileAnswer(doc *strictyaml.Document, path, text string) {
	isAnswered := r.kind == Answered
	switch {
	case isAnswered && text == "":
		doc.Wrong(path, "is missing; an answered route needs request:GJSON or response:GJSON, such as request:@this")
	case !isAnswered && text != "":
		doc.Wrong(path, "is for routes that say answered")
	case isAnswered:
		r.answer = compileBodyPath(doc, path, text)
	}
}

func compileID(doc *strictyaml.Document, path, name, text string) bodyPath {
	if !slices.Contains(idNames, name) {
		doc.Wrong(path, "is not an id; the ids are survey, instance and participant")
	}
	return compileBodyPath(doc, path, text)
}
