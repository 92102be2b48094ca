package draft

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/bodies"
)

// route is one that the profile should have.
type route struct {
	method string
	words  []string // as a profile has them: words and {names}
	says   rules.Kind
	// status and contentType are those of the response.
	status      int
	contentType string
	condition   string
	answers     *answers
	// exchanges are those of the recording that it is for, and why says what speaks
	// for it.
	exchanges []*exchange
	why       string
}

// session is a recording, and what has been found in it.
type session struct {
	exchanges, answering []*exchange
	answers              map[*exchange]*answers
	items                *items
	identity             identity
	ending               ending
}

func analyse(exchanges []*exchange) *session {
	s := &session{exchanges: exchanges, items: findItems(exchanges), answers: map[*exchange]*answers{}}
	for _, e := range exchanges {
		if found := findAnswers(e, s.items); found != nil {
			s.answers[e], s.answering = found, append(s.answering, e)
		}
	}
	if len(s.answering) == 0 {
		return s
	}
	s.keepAccepted()
	s.identity = findIdentity(exchanges, s.answering, s.items)
	s.ending = findEnding(exchanges, s.answering, s.items)
	return s
}

// keepAccepted leaves out forms that were shown again where accepted ones lead on.
func (s *session) keepAccepted() {
	isRedirect := func(e *exchange) bool { return e.Exchange.Status >= http.StatusMultipleChoices }
	if !s.items.isHTML || !slices.ContainsFunc(s.answering, isRedirect) {
		return
	}
	s.answering = slices.DeleteFunc(s.answering, func(e *exchange) bool {
		if !isRedirect(e) {
			delete(s.answers, e)
		}
		return !isRedirect(e)
	})
}

// routes returns a route for each kind of exchange that says something: those that say
// completed come first, since the first that holds counts.
func (s *session) routes() (list []*route) {
	for _, e := range s.exchanges {
		one := s.routeOf(e)
		if one == nil {
			continue
		}
		i := slices.IndexFunc(list, func(r *route) bool { return r.merge(one) })
		if i < 0 {
			list = append(list, one)
		}
	}
	slices.SortStableFunc(list, func(a, b *route) int { return rank(a) - rank(b) })
	return list
}

func rank(r *route) int {
	return slices.Index([]rules.Kind{rules.SurveyShown, rules.Completed}, r.says) & 3
}

// routeOf returns nil for an exchange that says nothing.
func (s *session) routeOf(e *exchange) *route {
	r := &route{method: e.Method, words: s.pattern(e), status: e.Exchange.Status, contentType: e.Exchange.ContentType, answers: s.answers[e], exchanges: []*exchange{e}}
	hasItems, hasPages := len(s.items.at[e]) > 0, s.hasPages()
	switch {
	case r.answers != nil && r.answers.isXML:
		r.says, r.why = rules.Completed, "a submission has all answers"
	case e == s.ending.at:
		r.says, r.condition, r.why = rules.Completed, s.ending.condition, s.ending.why
	case hasItems && hasPages:
		r.says, r.why = rules.Reached, "the response has what is asked next"
		if page, _ := s.items.pagePath(); page != "@this" {
			r.condition = "response:" + page
		}
		if s.items.isHTML {
			r.condition = "response:has_form"
		}
	case hasItems && r.answers == nil && s.find(e, s.identity.survey) != nil:
		r.says, r.why, r.condition = rules.SurveyShown, "the response has all that is asked, once", "response:"+strings.Split(s.items.list, ".#")[0]
	case r.answers != nil:
		r.says, r.why = rules.Answered, "the request has answers"
	default:
		return nil
	}
	return r
}

// hasPages reports whether responses have the questions of one page each.
func (s *session) hasPages() bool {
	return s.items.list != "" && (s.items.isPaged() || s.items.isHTML || s.items.isSingle)
}

// merge takes the exchanges of another route for the same kind of request.
func (r *route) merge(other *route) bool {
	if r.method != other.method || r.says != other.says || r.condition != other.condition || r.status != other.status || len(r.words) != len(other.words) || (r.answers == nil) != (other.answers == nil) {
		return false
	}
	differing := -1
	for i, word := range r.words {
		if word != other.words[i] {
			if differing >= 0 || isName(word) || isName(other.words[i]) {
				return false
			}
			differing = i
		}
	}
	if differing >= 0 {
		if !slices.ContainsFunc(r.words, isName) {
			return false
		}
		r.words[differing] = "{name}"
	}
	r.exchanges = append(r.exchanges, other.exchanges...)
	return true
}

func isName(word string) bool { return strings.HasPrefix(word, "{") }

// pattern returns the path of an exchange with names for what differs from one
// participant, page or item to another.
func (s *session) pattern(e *exchange) []string {
	list := make([]string, len(e.words))
	hasPage := !s.items.isHTML
	for i, word := range e.words {
		isID := !technical.MatchString(word) && idLike.MatchString(strings.ToLower(word)) || strings.ContainsAny(word, "{}/ ")
		name := ""
		switch found := s.answers[e]; {
		case word == s.identity.participant && !s.identity.isSecret:
			name = "participant"
		case word == s.identity.survey:
			name = "survey"
		case found != nil && found.inPath == word:
			name = "item"
		case isID && !hasPage:
			name, hasPage = "page", true
		case isID:
			name = "id" + strconv.Itoa(i)
		default:
			list[i] = word
			continue
		}
		list[i] = "{" + name + "}"
	}
	return list
}

// on is the route's `on`, as YAML.
func (r *route) on() string {
	path := strings.Join(r.words, "/")
	if path == "" {
		path = "{...}"
	}
	text := r.method + " /" + path
	if strings.ContainsAny(text, "#:'\"") {
		return strconv.Quote(text)
	}
	return text
}

// when is the route's `when`, empty for what is the default.
func (r *route) when() string {
	switch isHTML := bodies.KindOf(r.contentType) == bodies.HTML; {
	case isHTML:
		return strconv.Itoa(r.status) + " text/html"
	case r.status != http.StatusOK:
		return strconv.Quote(strconv.Itoa(r.status))
	}
	return ""
}

// conditions is the route's `if`, as YAML; empty without one. An end that is a redirect
// has to say where it leads.
func (r *route) conditions() string {
	isThere := strings.HasPrefix(r.condition, "response:") || strings.HasPrefix(r.condition, "location")
	isOfResponse := isThere && !strings.Contains(r.condition, " != ")
	switch isRedirect := r.status >= http.StatusMultipleChoices; {
	case r.says != rules.Completed || !isRedirect || isOfResponse:
		if r.condition != "" {
			return quote(r.condition)
		}
		return ""
	case r.condition == "":
		return "location"
	}
	return "[" + strconv.Quote(r.condition) + ", location]"
}

// ids returns the line of `ids`: what the path does not name.
func (s *session) ids(r *route) string {
	var list []string
	if sources := s.sources(r, "survey", s.identity.survey, false); sources != "" {
		list = append(list, fmt.Sprintf("survey: %s", sources))
	}
	if r.says == rules.SurveyShown {
		return strings.Join(list, ", ")
	}
	if sources := s.sources(r, "participant", s.identity.participant, s.identity.isSecret); sources != "" {
		list = append(list, fmt.Sprintf("participant: %q", sources))
	}
	return strings.Join(list, ", ")
}

// sources returns where a route's exchanges have a value that its path does not name.
func (s *session) sources(r *route, name, value string, isSecret bool) string {
	if slices.Contains(r.words, "{"+name+"}") {
		return ""
	}
	var list []string
	for _, e := range r.exchanges {
		if p := s.find(e, value); p != nil && p.source != "" {
			source := p.source
			if isSecret {
				source = "digest:" + source
			}
			if !slices.Contains(list, source) {
				list = append(list, source)
			}
		}
	}
	switch {
	case len(list) == 0 && name == "participant":
		list = []string{s.fallback(r)}
	case len(list) == 0 && value == "":
		list = []string{"query:survey"} // a profile has to say where
	}
	return strings.Join(list, " or ")
}

// fallback is what tells participants apart where no value does.
func (s *session) fallback(r *route) string {
	if s.identity.cookie != "" {
		if isSet(s.exchanges, s.identity.cookie) {
			return "set_cookie:" + s.identity.cookie + " or cookie:" + s.identity.cookie
		}
		return "cookie:" + s.identity.cookie
	}
	for _, l := range append(leaves(r.exchanges[0].request), leaves(r.exchanges[0].response)...) {
		if participantName.MatchString(lastName(l.path)) {
			if p := s.find(r.exchanges[0], l.value.String()); p != nil && p.source != "" {
				return p.source
			}
		}
	}
	return "cookie:session"
}

// find returns where an exchange has a value, nil if nowhere. A secret is not taken from
// the path, of which no digest can be made.
func (s *session) find(e *exchange, value string) *place {
	for _, p := range e.places(value) {
		if value != "" && (p.source != "" || !s.identity.isSecret || value != s.identity.participant) {
			return &p
		}
	}
	return nil
}

// pagePath returns where a page is in a response, and where its items are in it.
func (it *items) pagePath() (page, list string) {
	cut := strings.LastIndexAny(it.list, ".|")
	switch {
	case it.isSingle:
		return it.list, "[@this]"
	case it.isHTML, cut < 0:
		return "@this", it.list
	case strings.Contains(it.list, "#"):
		return "@this", it.list + "|@flatten"
	}
	return it.list[:cut], it.list[cut+1:]
}
