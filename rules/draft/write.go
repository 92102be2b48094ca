package draft

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/jsonpath"
)

// schemaLine lets editors complete and check the profile.
const schemaLine = "# yaml-language-server: $schema=https://raw.githubusercontent.com/sidehook/sidehook/main/rules/schema/profile.json\n"

// The names under which apps have the fields of a page.
var (
	pageIDs     = []string{"id", "key", "uuid", "name", "index", "number", "order", "step"}
	pageNumbers = []string{"order", "index", "number", "position", "step"}
	pageNames   = []string{"title", "name", "label"}
)

// plain matches texts that need no quotes in YAML, except for notTexts.
var plain = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.:/@ =|-]*$`)

var notTexts = []string{"null", "true", "false", "yes", "no", "on", "off", "y", "n"}

// write returns the profile as YAML.
func (s *session) write(app string) []byte {
	var b bytes.Buffer
	b.WriteString(schemaLine)
	fmt.Fprintf(&b, "app: %s\n\nroutes:\n", quote(app))
	for _, r := range s.routes() {
		s.writeRoute(&b, r)
	}
	s.writeFields(&b)
	s.writeRest(&b)
	return b.Bytes()
}

func (s *session) writeRoute(b *bytes.Buffer, r *route) {
	fmt.Fprintf(b, "  # %s (%d of %d exchanges)\n", r.why, len(r.exchanges), len(s.exchanges))
	fmt.Fprintf(b, "  - on: %s\n    says: %s\n", r.on(), r.says)
	if when := r.when(); when != "" {
		fmt.Fprintf(b, "    when: %s\n", when)
	}
	if conditions := r.conditions(); conditions != "" {
		fmt.Fprintf(b, "    if: %s\n", conditions)
	}
	if ids := s.ids(r); ids != "" {
		fmt.Fprintf(b, "    # %s\n    ids: {%s}\n", s.whyIDs(r), ids)
	}
	if r.answers != nil {
		s.writeAnswers(b, r)
	}
}

// whyIDs says what speaks for the participant.
func (s *session) whyIDs(r *route) string {
	switch {
	case r.says == rules.SurveyShown:
		return "the survey is named there"
	case s.identity.participant != "" && s.identity.survey == "":
		return "the participant has the same value in all requests; the survey is a guess: nothing names it"
	case s.identity.isSecret:
		return "only a digest of the token is kept"
	case s.identity.participant != "":
		return "the participant has the same value in all requests"
	}
	if s.identity.survey == "" {
		return "guesses: nothing in the recording names the survey, or tells one participant from another"
	}
	return "a guess: nothing in the recording tells one participant from another"
}

func (s *session) writeAnswers(b *bytes.Buffer, r *route) {
	a := r.answers
	switch {
	case a.isGuess:
		b.WriteString("    # a guess by the name\n")
	case a.onPage:
		b.WriteString("    # of the fields of the form, those that the page before had\n")
	case a.inPath == "" && !s.items.isSingle:
		b.WriteString("    # its names are those of what is asked\n")
	}
	switch {
	case a.isOne:
		fmt.Fprintf(b, "    answer: %s\n", quote("request:"+a.at))
	case a.isXML:
		fmt.Fprintf(b, "    answers: {at: %s, except: [\"-*\", meta, \"#text\"]}\n", quote("request:"+a.at))
	case a.onPage:
		fmt.Fprintf(b, "    answers: {at: %s, on_page: true}\n", quote("request:"+a.at))
	case a.item != "":
		fmt.Fprintf(b, "    answers: {at: %s, item: %s, answer: %s}\n", quote("request:"+a.at), quote(a.item), quote(a.answer))
	default:
		fmt.Fprintf(b, "    answers: {at: %s%s}\n", quote("request:"+a.at), s.except(r))
	}
}

// except returns what besides answers is in the object that has them: what is not asked,
// as far as that is known, or else what sounds like a credential.
func (s *session) except(r *route) string {
	var names []string
	for _, e := range r.exchanges {
		object := e.request
		if r.answers.at != "@this" {
			object = e.request.Get(r.answers.at)
		}
		object.ForEach(func(name, value gjson.Result) bool {
			isAnswer := s.items.known[name.String()] || len(s.items.known) == 0
			isSecret := credential.MatchString(name.String()) || value.String() == s.identity.participant
			if quoted := quote(name.String()); (!isAnswer || isSecret) && !slices.Contains(names, quoted) {
				names = append(names, quoted)
			}
			return true
		})
	}
	if len(names) == 0 {
		return ""
	}
	return ", except: [" + strings.Join(names, ", ") + "]"
}

// writeFields writes where pages and items are.
func (s *session) writeFields(b *bytes.Buffer) {
	it := s.items
	if it.list == "" {
		return
	}
	if it.isHTML {
		b.WriteString("\nhtml:\n  values: {has_form: form}\n  fields: {in: form}\n")
	}
	if s.hasPages() {
		s.writePage(b)
	} else {
		list := it.list
		if strings.Contains(list, "#") {
			list += "|@flatten"
		}
		fmt.Fprintf(b, "\n# the list of all that is asked\nsurvey: {items: %s}\n", quote(list))
	}
	fmt.Fprintf(b, "\n# in each item\nitem:\n  id: %s\n", quote(it.id))
	if it.kind != "" {
		fmt.Fprintf(b, "  type: %s\n", quote(it.kind))
	}
	if it.label != "" {
		fmt.Fprintf(b, "  label: %s\n", quote(it.label))
	}
	if it.isHTML {
		b.WriteString("  options: {at: options, value: value, label: label}\n")
	}
}

func (s *session) writePage(b *bytes.Buffer) {
	at, list := s.items.pagePath()
	fmt.Fprintf(b, "\n# where the page is in the response; in it, its fields\npage:\n  at: %s\n", quote(at))
	var page gjson.Result
	isInPath := false
	for e := range s.items.at {
		if page = e.response; at != "@this" {
			page = e.response.Get(at)
		}
		isInPath = isInPath || slices.Contains(s.pattern(e), "{page}")
	}
	switch id := firstOf(page, pageIDs, ""); {
	case isInPath:
	case id != "" && at != "@this":
		fmt.Fprintf(b, "  id: %s\n", quote(id))
	default:
		fmt.Fprintf(b, "  id: %s   # a guess: nothing else tells one page from another\n", quote(list+".0."+s.items.id))
	}
	if number := firstOf(page, pageNumbers, ""); page.Get(number).Type == gjson.Number {
		fmt.Fprintf(b, "  number: %s\n", quote(number))
	}
	if name := firstOf(page, pageNames, ""); name != "" && !s.items.isHTML && !s.items.isSingle {
		fmt.Fprintf(b, "  name: %s\n", quote(name))
	}
	fmt.Fprintf(b, "  items: %s\n", quote(list))
}

// writeRest lists what no route is for.
func (s *session) writeRest(b *bytes.Buffer) {
	isCompleted := func(r *route) bool { return r.says == rules.Completed }
	if !slices.ContainsFunc(s.routes(), isCompleted) {
		b.WriteString("\n# Nothing in the recording tells when the survey is complete: add `if` to the last route, and one that says completed.\n")
	}
	var rest []string
	for _, e := range s.exchanges {
		line := "#   " + e.Method + " /" + strings.Join(s.pattern(e), "/")
		if s.routeOf(e) == nil && !slices.Contains(rest, line) {
			rest = append(rest, line)
		}
	}
	if len(rest) > 0 {
		fmt.Fprintf(b, "\n# Nothing seems to be said by these:\n%s\n", strings.Join(rest, "\n"))
	}
}

// quote returns a text as YAML that may stand in a list or an object.
func quote(text string) string {
	isMore := strings.Contains(text, ": ") || slices.Contains(notTexts, strings.ToLower(text))
	if plain.MatchString(text) && !isMore && !strings.HasSuffix(text, " ") && !strings.HasSuffix(text, ":") {
		return text
	}
	return string(jsonpath.AppendString(nil, text))
}
