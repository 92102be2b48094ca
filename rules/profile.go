package rules

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/sidehook/sidehook/rules/profiles"

	"github.com/sidehook/sidehook/rules/jsonpath"
	"github.com/sidehook/sidehook/rules/strictyaml"
)

// maxProfile is the largest profile file, in bytes.
const maxProfile = 1 << 20

// Profile says which exchanges of an app matter and what each one says. It never changes.
type Profile struct {
	// App says in words what the profile is for.
	App      string
	routes   []*route
	page     pageFields
	item     itemFields
	history  *history // nil where the app cannot be asked
	friendly friendlyID
	// version is the path where the app tells its release; oldest is the first
	// release that the profile can tell events of.
	version string
	oldest  release
}

// profileFile is a profile as its YAML says it.
type profileFile struct {
	App         string         `yaml:"app"`
	FriendlyIDs string         `yaml:"friendly_ids"`
	Routes      []routeFile    `yaml:"routes"`
	Page        pageFields     `yaml:"page"`
	Item        itemFields     `yaml:"item"`
	Version     versionFields  `yaml:"version"`
	History     *historyFields `yaml:"history"`
}

type routeFile struct {
	On     string            `yaml:"on"`
	Says   string            `yaml:"says"`
	When   string            `yaml:"when"`
	IDs    map[string]string `yaml:"ids"`
	Answer string            `yaml:"answer"`
	Hint   string            `yaml:"hint"`
}

// pageFields are the gjson paths of a page: At and Count in the response, the rest in the page.
type pageFields struct {
	At     string `yaml:"at"`
	Count  string `yaml:"count"`
	ID     string `yaml:"id"`
	Number string `yaml:"number"`
	Name   string `yaml:"name"`
	Items  string `yaml:"items"`
}

// itemFields are the gjson paths in an item, and what its types mean.
type itemFields struct {
	ID       string            `yaml:"id"`
	Type     string            `yaml:"type"`
	Content  []string          `yaml:"content"`
	Question string            `yaml:"question"`
	Text     map[string]string `yaml:"text"`
	Optional string            `yaml:"optional"`
}

// pathParams are the parameters that the path of each kind of route must have.
var pathParams = map[Says][]string{
	PageShown:    {},
	Navigated:    {"participant"},
	PageLoaded:   {"participant", "page"},
	AnsweredItem: {"participant", "item"},
}

// idNames are the ids that a route may read from a body.
var idNames = []string{"survey", "instance", "participant"}

// LoadProfile gives the built-in profile of that name, or reads the file at
// that path. All its problems are in the error, one per line.
func LoadProfile(nameOrPath string) (*Profile, error) {
	if source, ok := profiles.Read(nameOrPath); ok {
		return parseProfile(nameOrPath+".yaml", source)
	}
	info, err := os.Stat(nameOrPath)
	if err != nil {
		return nil, fmt.Errorf("cannot read the profile %q: it is neither built in (decsys is) nor a file: %w", nameOrPath, err)
	}
	if info.Size() > maxProfile {
		return nil, fmt.Errorf("cannot read the profile %q: it has %d bytes; at most %d are allowed", nameOrPath, info.Size(), maxProfile)
	}
	source, err := os.ReadFile(nameOrPath)
	if err != nil {
		return nil, fmt.Errorf("cannot read the profile %q: %w", nameOrPath, err)
	}
	return parseProfile(nameOrPath, source)
}

// parseProfile compiles a profile and finds all that is wrong with it.
func parseProfile(name string, source []byte) (*Profile, error) {
	var file profileFile
	doc := strictyaml.DecodeStrict(name, source, &file)
	p := &Profile{App: file.App, page: file.Page, item: file.Item}
	p.friendly = compileFriendlyIDs(doc, file.FriendlyIDs)
	p.version, p.oldest = compileVersion(doc, file.Version)
	if len(file.Routes) == 0 {
		doc.Wrong("routes", "must have at least one route")
	}
	for i, route := range file.Routes {
		p.routes = append(p.routes, compileRoute(doc, fmt.Sprintf("routes[%d]", i), route, p.friendly))
	}
	checkFields(doc, file)
	p.history = compileHistory(doc, file.History)
	return p, doc.Err()
}

func compileFriendlyIDs(doc *strictyaml.Document, name string) friendlyID {
	friendly, ok := friendlyIDs[name]
	if !ok {
		known := slices.Sorted(maps.Keys(friendlyIDs))[1:]
		doc.Wrong("friendly_ids", "must be %s, not %q", strings.Join(known, " or "), name)
	}
	return friendly
}

func compileRoute(doc *strictyaml.Document, path string, file routeFile, friendly friendlyID) *route {
	r, err := parseRoute(file.On)
	if err != nil {
		doc.Wrong(path+".on", "%s", err)
		return &route{}
	}
	r.says, r.hint, r.friendly = Says(file.Says), file.Hint, friendly
	if required, ok := pathParams[r.says]; !ok {
		doc.Wrong(path+".says", "must be page_shown, page_loaded, answered or navigated, not %q", file.Says)
	} else {
		r.requireParams(doc, path, required)
	}
	r.when = compileCondition(doc, path+".when", file.When)
	r.ids = map[string]source{}
	for name, text := range file.IDs {
		r.ids[name] = compileID(doc, path+".ids."+name, name, text)
	}
	r.compileAnswer(doc, path+".answer", file.Answer)
	return r
}

// requireParams refuses a route whose path lacks a parameter that what it says
// cannot do without; the survey or its instance are among them always.
func (r *route) requireParams(doc *strictyaml.Document, path string, required []string) {
	has := func(name string) bool {
		return slices.ContainsFunc(r.segments, func(s segment) bool { return s.param == name })
	}
	for _, name := range required {
		if !has(name) {
			doc.Wrong(path+".on", "must have {%s}, since it says %s", name, r.says)
		}
	}
	switch {
	case has(friendlyParam) && r.friendly.ids == nil:
		doc.Wrong(path+".on", "must not have {%s} in a profile without friendly_ids", friendlyParam)
	case !has("survey") && !has("instance") && !has(friendlyParam):
		doc.Wrong(path+".on", "must have {survey} or {instance}, or {%s} for both", friendlyParam)
	}
}

func (r *route) compileAnswer(doc *strictyaml.Document, path, text string) {
	isAnswered := r.says == AnsweredItem
	switch {
	case isAnswered && text == "":
		doc.Wrong(path, "is missing; an answered route needs request:GJSON or response:GJSON, such as request:@this")
	case !isAnswered && text != "":
		doc.Wrong(path, "is for routes that say answered")
	case isAnswered:
		r.answer = compileSource(doc, path, text)
	}
}

// compileCondition compiles "200" or "200 application/json"; none means 200.
func compileCondition(doc *strictyaml.Document, path, text string) condition {
	if text == "" {
		return condition{status: 200}
	}
	code, mediaType, _ := strings.Cut(text, " ")
	status, err := strconv.Atoi(code)
	if err != nil || status < 200 || status > 599 || mediaType != "" && !strings.Contains(mediaType, "/") {
		doc.Wrong(path, "must be a status and may have a media type, such as 200 application/json, not %q", text)
	}
	return condition{status: status, mediaType: strings.ToLower(mediaType)}
}

func compileID(doc *strictyaml.Document, path, name, text string) source {
	if !slices.Contains(idNames, name) {
		doc.Wrong(path, "is no id; the ids are survey, instance and participant")
	}
	return compileSource(doc, path, text)
}

func compileSource(doc *strictyaml.Document, path, text string) source {
	s, err := parseSource(text)
	if err != nil {
		doc.Wrong(path, "%s", err)
	}
	return s
}

// checkFields checks the gjson paths of pages and items.
func checkFields(doc *strictyaml.Document, file profileFile) {
	required := map[string]string{
		"page.at": file.Page.At, "page.id": file.Page.ID, "page.number": file.Page.Number, "page.items": file.Page.Items,
		"item.id": file.Item.ID, "item.type": file.Item.Type,
	}
	for path, gjson := range required {
		checkField(doc, path, gjson)
	}
	optional := map[string]string{
		"page.count": file.Page.Count, "page.name": file.Page.Name,
		"item.question": file.Item.Question, "item.optional": file.Item.Optional,
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
	if err := jsonpath.CheckGJSON(gjson); err != nil {
		doc.Wrong(path, "%s", err)
	}
}
