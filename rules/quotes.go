package rules

import (
	"slices"
	"strings"
	"unicode"

	"github.com/tidwall/gjson"
)

// maxQuoted is how many words of an answer are looked for: whoever quotes a longer one
// quotes these.
const maxQuoted = 8

// quotes are answers that a target must not see. Survey apps let authors quote an
// earlier answer in the text of a question, the name of a page or the label of a choice,
// which is hidden then, too. The value is whether it was written by the participant,
// rather than chosen: the same choice may stand elsewhere.
type quotes map[string]bool

// hiddenAnswers returns the answers of e, and what the app displays for them, that are
// not in seen.
func hiddenAnswers(e, seen *Event) quotes {
	shown := map[string]*Response{}
	for i := range seen.Responses {
		shown[seen.Responses[i].Item] = &seen.Responses[i]
	}
	q := quotes{}
	for i := range e.Responses {
		r, visible := &e.Responses[i], []string{}
		if other := shown[r.Item]; other != nil {
			visible = textsOf(other.Answer)
		}
		for _, text := range textsOf(r.Answer) {
			if slices.Contains(visible, text) {
				continue
			}
			q.add(text, len(r.Options) == 0)
			for _, option := range r.Options {
				if option.Value == text {
					q.add(option.Label, false)
				}
			}
		}
	}
	if seen.Participant.ID != e.Participant.ID {
		q.add(e.Participant.ID, true)
	}
	return q
}

// textsOf returns the texts and numbers in an answer.
func textsOf(answer []byte) (list []string) {
	var visit func(gjson.Result)
	visit = func(value gjson.Result) { // the answer has passed CheckJSON
		switch {
		case value.IsObject(), value.IsArray():
			value.ForEach(func(_, member gjson.Result) bool { visit(member); return true })
		case value.Type == gjson.String, value.Type == gjson.Number:
			list = append(list, value.String())
		}
	}
	if gjson.ValidBytes(answer) {
		visit(gjson.ParseBytes(answer))
	}
	return list
}

func (q quotes) add(text string, isWritten bool) {
	if words := wordsOf(text); len(words) > 0 {
		quote := strings.Join(words[:min(len(words), maxQuoted)], " ")
		q[quote] = q[quote] || isWritten
	}
}

// in reports whether a text quotes an answer, and whether it is one that was written.
func (q quotes) in(text string) (isQuote, isWritten bool) {
	words := wordsOf(text)
	for i := range words {
		for n := 1; n <= maxQuoted && i+n <= len(words); n++ {
			written, found := q[strings.Join(words[i:i+n], " ")]
			isQuote, isWritten = isQuote || found, isWritten || written
		}
	}
	return isQuote, isWritten
}

// without returns the text, or nil for one that quotes an answer.
func (q quotes) without(text *string) *string {
	if text != nil {
		if isQuote, _ := q.in(*text); isQuote {
			return nil
		}
	}
	return text
}

// hide removes from an event what quotes an answer.
func (q quotes) hide(e *Event) {
	if len(q) == 0 {
		return
	}
	e.From.Name = q.without(e.From.Name)
	if e.To != nil {
		to := *e.To
		to.Name = q.without(to.Name)
		e.To = &to
	}
	for i := range e.Responses {
		r := &e.Responses[i]
		r.Page.Name, r.Question = q.without(r.Page.Name), q.without(r.Question)
		r.Options = slices.Clone(r.Options)
		for j := range r.Options {
			if _, isWritten := q.in(r.Options[j].Label); isWritten {
				r.Options[j].Label = ""
			}
		}
	}
}

// wordsOf returns the words of a text in lower case.
func wordsOf(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}
