package draft

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
)

// Names that tell what a value is, in a path or in a body.
var (
	surveyName      = regexp.MustCompile(`(?i)^(surveys?|forms?|quiz(zes)?|polls?|questionnaires?|(type)?bots?|stud(y|ies)|experiments?|s)(_?u?u?id|_?slug)?$`)
	surveyPath      = regexp.MustCompile(`(?i)(survey|form|study|quiz|poll)[a-z]*\.(u?u?id|slug|key)$`)
	participantName = regexp.MustCompile(`(?i)(participant|respond|visitor|session|submission|result|attempt|instance_?id|client_?id)`)
	secretName      = regexp.MustCompile(`(?i)(token|secret|hash)`)
	noParticipant   = regexp.MustCompile(`(?i)(csrf|xsrf|clientsecret|display|captcha|time|date)`)
	technical       = regexp.MustCompile(`(?i)^(api|rest|client|index\.php|ocs|apps|[a-z]|v[0-9.]+(\.php)?)$`)
	verb            = regexp.MustCompile(`(?i)^(answers?|submit|submissions?|form_?responses?|responses?|results?|next|save|forward|end|complete|post)$`)
	idLike          = regexp.MustCompile(`^([0-9]+|.*[0-9].*[a-z].*|.*[a-z].*[0-9].*|.{20,}|[A-Z]+[0-9]+)$`)
	sessionCookie   = regexp.MustCompile(`(?i)(sess|sid)`)
	otherCookie     = regexp.MustCompile(`(?i)(^_ga|^_gid|^_pk|^_fbp|consent|^lang|^locale|^theme|samesite|csrf|xsrf)`)
)

// place is where an exchange has a value.
type place struct {
	// source is as a profile names it; empty for the path.
	source string
	// name is what the value is called there.
	name string
}

// places returns where an exchange has a value: the path first, then what the
// participant sends, then what the app responds.
func (e *exchange) places(text string) (list []place) {
	for i, word := range e.words {
		if word == text && i > 0 {
			list = append(list, place{"", e.words[i-1]})
		}
	}
	for _, l := range leaves(e.request) {
		if l.value.String() == text && l.path != "" {
			list = append(list, place{"request:" + l.path, lastName(l.path)})
		}
	}
	query := e.query()
	for name := range query {
		if query.Get(name) == text {
			list = append(list, place{"query:" + name, name})
		}
	}
	for _, l := range leaves(e.response) {
		if l.value.String() == text && l.path != "" {
			list = append(list, place{"response:" + l.path, lastName(l.path)})
		}
	}
	if slices.Contains(strings.FieldsFunc(e.location(), func(r rune) bool { return r == '/' || r == '?' }), text) {
		list = append(list, place{"location", "location"})
	}
	return list
}

// query is that of the request's target, as far as it is well-formed.
func (e *exchange) query() url.Values {
	_, raw, _ := strings.Cut(e.Target, "?")
	query, _ := url.ParseQuery(raw)
	return query
}

// sent returns those of the places that are in the request.
func sent(list []place) []place {
	return slices.DeleteFunc(slices.Clone(list), func(p place) bool {
		return strings.HasPrefix(p.source, "response:") || p.source == "location"
	})
}

// identity is how a session names who answers what.
type identity struct {
	survey, participant string
	// cookie is the pattern of the cookie that tells participants apart, if no other
	// value does.
	cookie string
	// isSecret is set for a participant who is known by a token that is in no path.
	isSecret bool
}

// findIdentity looks for the survey and the participant in answers.
func findIdentity(exchanges, answering []*exchange, it *items) (found identity) {
	if found.survey = findSurvey(answering); found.survey == "" || !isCommon(answering, found.survey) {
		found.survey = findSurvey(exchanges)
	}
	if len(found.survey) < 3 && !isCommon(answering, found.survey) { // the number of a page
		found.survey = ""
	}
	best := 0
	for _, text := range texts(exchanges) {
		if text == found.survey || it.known[text] || !idLike.MatchString(strings.ToLower(text)) {
			continue
		}
		if score := scoreParticipant(text, exchanges, answering); score > best {
			best, found.participant = score, text
		}
	}
	if found.participant == "" {
		found.cookie = findCookie(exchanges, answering)
	}
	if found.survey == "" {
		found.survey = commonWord(answering, found.participant)
	}
	found.isSecret = isSecret(answering, found.participant)
	return found
}

// texts returns the values of the exchanges that may be ids, in their order.
func texts(exchanges []*exchange) (list []string) {
	seen := map[string]bool{}
	add := func(text string) {
		if len(text) > 2 && len(text) <= 200 && !seen[text] && !strings.ContainsAny(text, " <>{}[]/:") || strings.HasPrefix(text, "uuid:") && !seen[text] {
			seen[text], list = true, append(list, text)
		}
	}
	for _, e := range exchanges {
		for _, word := range e.words {
			if !technical.MatchString(word) {
				add(word)
			}
		}
		for _, l := range append(leaves(e.request), leaves(e.response)...) {
			add(l.value.String())
		}
	}
	return list
}

// scoreParticipant is how much speaks for a value as the participant's id; 0 for none
// that can be.
func scoreParticipant(text string, exchanges, answering []*exchange) (score int) {
	isNamed, isSent := false, false
	for _, e := range exchanges {
		isNamed = isNamed || slices.ContainsFunc(e.places(text), func(p place) bool { return participantName.MatchString(p.name) })
	}
	for _, e := range answering {
		list := e.places(text)
		if len(list) == 0 {
			continue
		}
		score += 2
		for _, p := range list {
			if noParticipant.MatchString(p.name) || surveyName.MatchString(p.name) {
				return 0
			}
			isNamed = isNamed || secretName.MatchString(p.name)
		}
		isSent = isSent || len(sent(list)) > 0
	}
	if score == 0 || score < len(answering) { // in half of them at least
		return 0
	}
	first := slices.IndexFunc(exchanges, func(e *exchange) bool { return len(e.places(text)) > 0 })
	isIssued := len(sent(exchanges[first].places(text))) == 0
	switch {
	case isNamed:
		score += 4
	case isIssued && isSent:
		score += 2
	case !isSent && len(answering) > 1:
		return 0
	default:
		return 0
	}
	if isIssued {
		score++
	}
	return score
}

// findSurvey returns what comes behind a word such as surveys in a path, or under such
// a name in a body.
func findSurvey(exchanges []*exchange) string {
	for _, e := range exchanges {
		for i := len(e.words) - 1; i > 0; i-- {
			if surveyName.MatchString(e.words[i-1]) && len(e.words[i-1]) > 1 && !technical.MatchString(e.words[i]) {
				return e.words[i]
			}
		}
	}
	for _, e := range exchanges {
		query := e.query()
		for name := range query {
			if surveyName.MatchString(name) && query.Get(name) != "" {
				return query.Get(name)
			}
		}
		for _, l := range append(leaves(e.request), leaves(e.response)...) {
			isNamed := surveyName.MatchString(lastName(l.path)) || surveyPath.MatchString(l.path)
			if isNamed && (l.value.Type == gjson.String || l.value.Type == gjson.Number) && l.value.String() != "" {
				return l.value.String()
			}
		}
	}
	return ""
}

// isCommon reports whether all exchanges have a value.
func isCommon(exchanges []*exchange, text string) bool {
	return !slices.ContainsFunc(exchanges, func(e *exchange) bool { return len(e.places(text)) == 0 })
}

// commonWord returns the first word of the paths of all answers that is no part of an
// interface, no verb, and not the participant; one that looks like an id if there is one.
func commonWord(answering []*exchange, participant string) (found string) {
	for _, word := range answering[0].words {
		isNone := word == participant || technical.MatchString(word) || verb.MatchString(word) || !isCommon(answering, word)
		switch {
		case isNone:
		case idLike.MatchString(word):
			return word
		case found == "":
			found = word
		}
	}
	return found
}

// isSecret reports whether the participant is known by a token, which all answers have
// elsewhere than in their path.
func isSecret(answering []*exchange, participant string) (is bool) {
	for _, e := range answering {
		list := e.places(participant)
		if !slices.ContainsFunc(list, func(p place) bool { return p.source != "" }) {
			return false
		}
		is = is || slices.ContainsFunc(list, func(p place) bool { return p.source != "" && secretName.MatchString(p.name) })
	}
	return is && participant != ""
}

// findCookie returns the cookie that comes with all answers and is likeliest that of a
// session; empty without one.
func findCookie(exchanges, answering []*exchange) (likeliest string) {
	best := 0
	for _, field := range answering[len(answering)-1].Exchange.RequestHeader {
		if !strings.EqualFold(field.Name, "Cookie") {
			continue
		}
		cookies, _ := http.ParseCookie(field.Value)
		for _, c := range cookies {
			score := 1
			if sessionCookie.MatchString(c.Name) {
				score += 2
			}
			if isSet(exchanges, c.Name) {
				score++
			}
			if score > best && !otherCookie.MatchString(c.Name) {
				best, likeliest = score, c.Name
			}
		}
	}
	return likeliest
}

// isSet reports whether the app set a cookie.
func isSet(exchanges []*exchange, name string) bool {
	for _, e := range exchanges {
		for _, field := range e.Exchange.ResponseHeader {
			set, err := http.ParseSetCookie(field.Value)
			if strings.EqualFold(field.Name, "Set-Cookie") && err == nil && set.Name == name {
				return true
			}
		}
	}
	return false
}
