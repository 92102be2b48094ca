package draft

import (
	"regexp"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/sidehook/sidehook/rules/bodies"
)

// The names under which apps have answers.
var (
	answersName = regexp.MustCompile(`(?i)^(answers?|data|responses?|values?|fields|results?|survey_?results?|json_?data|question_answers)$`)
	answerName  = regexp.MustCompile(`(?i)^(value|answer|response|text|content|result)$`)
	itemName    = regexp.MustCompile(`(?i)^(questions?|items?|fields?|components?)$`)
	// loginWord is in paths of requests whose bodies are credentials.
	loginWord = regexp.MustCompile(`(?i)^(log-?in|log-?on|sign-?in|sign-?up|auth|authenticate|token|oauth2?|password)$`)
	// credential is the name of what no answer is.
	credential = regexp.MustCompile(`(?i)(csrf|xsrf|token|password|passwd|captcha|secret|nonce|session_?id|^pw$|^_|hash|fbzx|form_build_id)`)
)

// answers are where a request has the answers of a participant.
type answers struct {
	// at is the gjson path of an object or a list. In a list, item and answer are names
	// in each element.
	at, item, answer string
	// isOne is set for an answer whose item is in the path, or none: at is its path.
	isOne bool
	// inPath is the item in the path, empty if that has none.
	inPath string
	// onPage is set where only controls of the page count.
	onPage bool
	// isXML is set for a submission of XML.
	isXML bool
	// isGuess is set where nothing but a name speaks for it.
	isGuess bool
}

// findAnswers returns nil for a request without answers.
func findAnswers(e *exchange, it *items) *answers {
	if !e.isUnsafe() || !e.request.Exists() || slices.ContainsFunc(e.words, loginWord.MatchString) {
		return nil
	}
	if it.isHTML {
		if e.isForm() {
			return &answers{at: "@this", onPage: true}
		}
		return nil
	}
	if found := answersByItem(e, it); found != nil {
		return found
	}
	for i, word := range e.words {
		if it.known[word] || i > 0 && itemName.MatchString(e.words[i-1]) {
			return &answers{at: orThis(answerIn(e.request)), isOne: true, inPath: word}
		}
	}
	if it.isSingle {
		if at := answerIn(e.request); at != "" {
			return &answers{at: at, isOne: true}
		}
		return nil
	}
	return answersByName(e, it)
}

// answersByItem looks for an object whose names are items, or a list whose elements
// name them.
func answersByItem(e *exchange, it *items) (best *answers) {
	most := 0
	walk("", e.request, maxDepth, func(path string, value gjson.Result) {
		switch {
		case strings.Contains(path, "#"):
		case value.IsObject():
			n := 0
			value.ForEach(func(name, _ gjson.Result) bool {
				if it.known[name.String()] {
					n++
				}
				return true
			})
			isTimes := strings.Contains(lastName(path), "tt")
			if n > most && !isTimes {
				most, best = n, &answers{at: orThis(path)}
			}
		case value.IsArray():
			if item := nameOfItem(value.Get("0"), it); item != "" && most == 0 {
				most, best = 1, &answers{at: path, item: item, answer: orThis(answerIn(value.Get("0")))}
			}
		}
	})
	return best
}

// nameOfItem returns the name under which an element has the id of an item.
func nameOfItem(element gjson.Result, it *items) (name string) {
	element.ForEach(func(key, value gjson.Result) bool {
		if it.known[value.String()] && name == "" {
			name = key.String()
		}
		return true
	})
	return name
}

// answerIn returns the path of the value that is called an answer, in any depth.
func answerIn(value gjson.Result) (path string) {
	for _, l := range leaves(value) {
		if answerName.MatchString(lastName(l.path)) {
			path = l.path
		}
	}
	if path != "" {
		return path
	}
	value.ForEach(func(name, member gjson.Result) bool {
		if answerName.MatchString(name.String()) {
			path = gjson.Escape(name.String())
		}
		return path == ""
	})
	return path
}

// answersByName goes by nothing but names, or takes a whole form.
func answersByName(e *exchange, it *items) (found *answers) {
	if bodies.KindOf(e.Exchange.RequestType) == bodies.XML {
		return &answers{at: "@values|0", isXML: true, isGuess: true}
	}
	if e.isForm() {
		for _, l := range e.request.Map() {
			if l.IsObject() && !l.Get("size").Exists() { // a file of XML or JSON
				return &answers{at: "xml_submission_file.@values.0", isXML: true, isGuess: true}
			}
		}
		return &answers{at: "@this", isGuess: true}
	}
	if len(it.known) > 0 {
		return nil
	}
	walk("", e.request, maxDepth, func(path string, value gjson.Result) {
		name, inText := lastName(strings.TrimSuffix(path, "|@fromstr")), strings.HasSuffix(path, "|@fromstr")
		isNamed := answersName.MatchString(name) && value.IsObject() && len(value.Map()) > 0
		if isNamed && !strings.Contains(path, "#") && (found == nil || inText) {
			found = &answers{at: path, isGuess: true}
		}
	})
	return found
}
