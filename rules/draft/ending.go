package draft

import (
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
)

var (
	endName = regexp.MustCompile(`(?i)(complet|finish|final|submit|success|done|ended|is_?last|partial|^status$|^state$)`)
	endWord = regexp.MustCompile(`(?i)(complet|finish|final|submit|^end|ended|done|success|thank)`)
)

// ending is what tells that the survey is complete.
type ending struct {
	// at is the exchange that says so, nil if none does.
	at *exchange
	// condition is that of `if`; empty if each such exchange says so.
	condition string
	why       string
}

// findEnding looks at what the last exchange has and no other that may be like it.
func findEnding(exchanges, answering []*exchange, it *items) ending {
	if len(answering) == 0 {
		return ending{}
	}
	last := answering[len(answering)-1]
	others := slices.DeleteFunc(slices.Clone(answering), func(e *exchange) bool { return e == last })
	if end := endingByPath(exchanges, last); end.at != nil {
		return end
	}
	if end := endingByPage(exchanges, it); end.at != nil {
		return end
	}
	if len(others) == 0 {
		return ending{last, flagOf(last), "the recording has one submission; only the last one must count"}
	}
	if condition := differingLeaf(last.request, others, it, "request:", func(e *exchange) gjson.Result { return e.request }); condition != "" {
		return ending{last, condition, "only the last request has that"}
	}
	if condition := differingLeaf(last.response, others, it, "response:", func(e *exchange) gjson.Result { return e.response }); condition != "" {
		return ending{last, condition, "only the response to the last request has that"}
	}
	if word := differingWord(last, others); word != "" {
		return ending{last, "location = *" + word + "*", "the last response leads somewhere else"}
	}
	if it.isHTML && last.isHTML() && !last.response.Get("has_form").Exists() {
		return ending{last, "!response:has_form", "the last page has no form"}
	}
	return ending{}
}

// endingByPage finds a response without a page to a request like those whose responses
// had one.
func endingByPage(exchanges []*exchange, it *items) ending {
	page, _ := it.pagePath()
	if !it.isPaged() || page == "@this" {
		return ending{}
	}
	has := func(e *exchange) bool {
		value := e.response.Get(page)
		return value.Exists() && value.Type != gjson.Null
	}
	for _, e := range slices.Backward(exchanges) {
		isLike := func(other *exchange) bool {
			return has(other) && other.Method == e.Method && slices.Equal(other.words, e.words)
		}
		if e.response.IsObject() && !has(e) && slices.ContainsFunc(exchanges, isLike) {
			return ending{e, "!response:" + page, "the last response has no page"}
		}
	}
	return ending{}
}

// endingByPath finds a request behind the last answer whose path speaks of the end.
func endingByPath(exchanges []*exchange, last *exchange) ending {
	for _, e := range exchanges[slices.Index(exchanges, last)+1:] {
		if (e.isUnsafe() || e.location() != "") && len(e.words) > 0 && endWord.MatchString(e.words[len(e.words)-1]) {
			return ending{e, "", "the path says that it is the end"}
		}
	}
	return ending{}
}

// flagOf returns the condition of a member of the request that says whether it is the
// end; empty if it has none.
func flagOf(e *exchange) string {
	for _, l := range leaves(e.request) {
		if endName.MatchString(lastName(l.path)) && (l.value.Type == gjson.True || l.value.Type == gjson.False) {
			return "request:" + l.path + " = " + l.value.String()
		}
	}
	return ""
}

// differingLeaf returns the condition of a member that sounds like the end, and that
// none of the others have with that value.
func differingLeaf(body gjson.Result, others []*exchange, it *items, origin string, of func(*exchange) gjson.Result) string {
	for _, l := range leaves(body) {
		name := lastName(l.path)
		isFlag := l.value.Type == gjson.True || l.value.Type == gjson.False
		isWord := l.value.Type == gjson.String && len(l.value.Str) < 20 && endWord.MatchString(l.value.Str)
		isOther := func(e *exchange) bool { return of(e).Get(l.path).String() != l.value.String() }
		if (isFlag || isWord) && !it.known[name] && endName.MatchString(name) && !slices.ContainsFunc(others, func(e *exchange) bool { return !isOther(e) }) {
			return origin + l.path + " = " + l.value.String()
		}
	}
	for _, o := range others { // what the others have, and the last has not: is_partial
		for _, l := range leaves(of(o)) {
			if l.value.Type == gjson.True && endName.MatchString(lastName(l.path)) && !body.Get(l.path).Bool() {
				return origin + l.path + " != true"
			}
		}
	}
	return ""
}

// differingWord returns a word of where the last response leads and no other does.
func differingWord(last *exchange, others []*exchange) string {
	if last.Exchange.Status < http.StatusMultipleChoices {
		return ""
	}
	for word := range strings.SplitSeq(last.location(), "/") {
		isElsewhere := slices.ContainsFunc(others, func(e *exchange) bool { return strings.Contains(e.location(), word) })
		if word != "" && !strings.ContainsAny(word, "0123456789") && !isElsewhere {
			return word
		}
	}
	return ""
}
