package rules

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/sidehook/sidehook/rules/bodies"
	"github.com/sidehook/sidehook/rules/profiles"

	"github.com/sidehook/sidehook/rules/strictyaml"
)

// maxProfile is the maximum size of a profile file, in bytes.
const maxProfile = 1 << 20

// Profile describes an app: which exchanges matter, and what each one says. It is
// immutable.
type Profile struct {
	// App is a description of the app for humans.
	App    string
	routes []*route
	page   pageFields
	item   itemFields
	survey surveyFields
	html   *bodies.Page // nil if no HTML is read
	// hasLoads reports whether an exchange says that a page was loaded, and hasPages
	// whether one has pages at all.
	hasLoads, hasPages bool
	// isBySurvey reports whether every exchange names the survey: then a journey is that
	// of a participant in one, or else all that the participant does.
	isBySurvey bool
	history    *history // nil if the past cannot be read
	friendly   friendlyID
	// version is the path of the app's release, oldest the oldest release that
	// the profile describes.
	version string
	oldest  release
}

// profileFile is the YAML of a profile.
type profileFile struct {
	App         string             `yaml:"app"`
	FriendlyIDs string             `yaml:"friendly_ids"`
	NumericIDs  bool               `yaml:"numeric_ids"`
	Routes      []routeFile        `yaml:"routes"`
	Page        pageFields         `yaml:"page"`
	Survey      surveyFields       `yaml:"survey"`
	Item        itemFields         `yaml:"item"`
	HTML        *bodies.PageFields `yaml:"html"`
	Version     versionFields      `yaml:"version"`
	History     *historyFields     `yaml:"history"`
}

// LoadProfile returns the built-in profile of that name, or else reads the file
// at that path. The error has all problems of the profile, one per line.
func LoadProfile(nameOrPath string) (*Profile, error) {
	if source, ok := profiles.Read(nameOrPath); ok {
		return ParseProfile(nameOrPath+".yaml", source)
	}
	info, err := os.Stat(nameOrPath)
	if err != nil {
		return nil, fmt.Errorf("cannot read the profile %q: it is neither built in (%s) nor a file: %w", nameOrPath, strings.Join(profiles.Names(), ", "), err)
	}
	if info.Size() > maxProfile {
		return nil, fmt.Errorf("cannot read the profile %q: it has %d bytes; at most %d are allowed", nameOrPath, info.Size(), maxProfile)
	}
	source, err := os.ReadFile(nameOrPath)
	if err != nil {
		return nil, fmt.Errorf("cannot read the profile %q: %w", nameOrPath, err)
	}
	return ParseProfile(nameOrPath, source)
}

// ParseProfile compiles a profile. The error has all of its problems.
func ParseProfile(name string, source []byte) (*Profile, error) {
	var file profileFile
	doc := strictyaml.Decode(name, source, &file)
	p := &Profile{App: file.App, page: file.Page, item: file.Item, survey: file.Survey}
	p.friendly = compileFriendlyIDs(doc, file.FriendlyIDs)
	p.version, p.oldest = compileVersion(doc, file.Version)
	if len(file.Routes) == 0 {
		doc.Wrong("routes", "must have at least one route")
	}
	p.isBySurvey = true
	for i, route := range file.Routes {
		compiled := compileRoutes(doc, fmt.Sprintf("routes[%d]", i), route, p.friendly)
		for _, r := range compiled {
			r.isNumeric = file.NumericIDs
			p.isBySurvey = p.isBySurvey && r.namesSurvey()
		}
		p.routes = append(p.routes, compiled...)
	}
	p.hasLoads = slices.ContainsFunc(p.routes, func(r *route) bool { return r.kind == PageLoaded })
	p.hasPages = slices.ContainsFunc(p.routes, func(r *route) bool { return r.kind == PageShown || r.kind == Reached || r.kind == Navigated })
	if !slices.ContainsFunc(p.routes, (*route).namesSurvey) {
		doc.Wrong("routes", "must name the survey in one of them at least: {survey}, {instance} or ids.survey")
	}
	p.compileHTML(doc, file.HTML)
	checkFields(doc, file, p.hasPages)
	p.routes = group(p.routes)
	p.history = compileHistory(doc, file.History)
	return p, doc.Err()
}

func (p *Profile) compileHTML(doc *strictyaml.Document, fields *bodies.PageFields) {
	if fields != nil {
		p.html = bodies.CompilePage(*fields, func(path string, err error) { doc.Wrong("html."+path, "%s", err) })
	}
}

// BeyondDecsys returns what events of the app may have that Decsys' own webhook has no
// place for.
func (p *Profile) BeyondDecsys() (list []string) {
	hasForms, hasOutcomes := !p.hasPages, false
	for _, r := range p.routes {
		for _, alternative := range r.alternatives {
			hasForms = hasForms || alternative.answers != nil
			hasOutcomes = hasOutcomes || alternative.outcome != ""
		}
	}
	if hasForms {
		list = append(list, "all answers but the first of each page")
	}
	if p.item.Options.At != "" {
		list = append(list, "the labels of choices")
	}
	if hasOutcomes {
		list = append(list, "that a participant was screened out")
	}
	return list
}

// Headers returns the names of the header fields that Exchange has to have, of
// requests and of responses.
func (p *Profile) Headers() (request, response []string) {
	add := func(list *[]string, name string) {
		if !slices.Contains(*list, name) {
			*list = append(*list, name)
		}
	}
	for _, r := range p.routes {
		for _, alternative := range r.alternatives {
			for s := range alternative.sources() {
				switch s.from {
				case header:
					add(&request, s.name)
				case cookie:
					add(&request, "Cookie")
					add(&response, "Set-Cookie")
				case setCookie:
					add(&response, "Set-Cookie")
				case location:
					add(&response, "Location")
				}
			}
		}
	}
	return request, response
}

func compileFriendlyIDs(doc *strictyaml.Document, name string) friendlyID {
	friendly, ok := friendlyIDs[name]
	if !ok {
		known := slices.Sorted(maps.Keys(friendlyIDs))[1:]
		doc.Wrong("friendly_ids", "must be %s, not %q", strings.Join(known, " or "), name)
	}
	return friendly
}
