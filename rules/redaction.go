package rules

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/tidwall/gjson"

	"github.com/sidehook/sidehook/rules/bodies"
	"github.com/sidehook/sidehook/rules/config"
	"github.com/sidehook/sidehook/rules/jsonpath"
)

// Redaction removes from events what one target must not see. It is immutable,
// and nil removes nothing.
type Redaction struct {
	// only are the answers that the target gets, nil for all.
	only                    []answerPart
	redacted, pseudonymised []answerPart
	participant             visibility
	key                     []byte
}

// visibility is what a target may see of a participant's id.
type visibility int

const (
	visible visibility = iota
	pseudonymous
	hidden
)

// String returns the visibility's name.
func (v visibility) String() string {
	switch v {
	case visible:
		return "visible"
	case pseudonymous:
		return "pseudonymous"
	case hidden:
		return "hidden"
	}
	return fmt.Sprintf("visibility(%d)", int(v))
}

// answerPart is a config.AnswerPart with its path compiled. An empty path is the
// whole answer.
type answerPart struct {
	config.AnswerPart
	path jsonpath.AnswerPath
}

// NewRedaction compiles the redaction of a target of a loaded configuration; nil
// for a target that may see everything.
func NewRedaction(t *config.Target) *Redaction {
	r := &Redaction{
		only:          compileParts(t.Only),
		redacted:      compileParts(t.Redact.Answers),
		pseudonymised: compileParts(t.Pseudonymise.Answers),
		participant:   visibilityOf(t),
		key:           []byte(t.Pseudonymise.Key.Reveal()),
	}
	if r.only == nil && r.participant == visible && len(r.redacted)+len(r.pseudonymised) == 0 {
		return nil
	}
	return r
}

func visibilityOf(t *config.Target) visibility {
	switch {
	case t.Redact.Participant:
		return hidden
	case t.Pseudonymise.Participant:
		return pseudonymous
	}
	return visible
}

// HidesParticipant reports whether the target must not learn who the participant is.
func (r *Redaction) HidesParticipant() bool { return r != nil && r.participant != visible }

// Apply returns the event as the target may see it. It does not change e.
func (r *Redaction) Apply(e *Event) *Event {
	if r == nil {
		return e
	}
	seen := *e
	switch r.participant {
	case hidden:
		seen.Participant.ID = ""
	case pseudonymous:
		seen.Participant.ID = pseudonym(r.key, []byte(e.Participant.ID))
	}
	if r.HidesParticipant() {
		// A tracing system finds the request by it, and the request has the participant's id.
		seen.Traceparent = ""
	}
	seen.Responses = nil
	for i := range e.Responses {
		if r.sends(&e.Responses[i]) {
			seen.Responses = append(seen.Responses, r.response(e, e.Responses[i]))
		}
	}
	hiddenAnswers(e, &seen).hide(&seen)
	return &seen
}

func (r *Redaction) sends(response *Response) bool {
	return r.only == nil || slices.ContainsFunc(r.only, func(p answerPart) bool { return p.names(response) })
}

// response redacts an answer. There is nothing to redact in a cleared or missing one.
func (r *Redaction) response(e *Event, response Response) Response {
	if e.state(&response) != answered {
		return response
	}
	redacted, isRedacted := partsOf(r.redacted, &response)
	pseudonymised, isPseudonymised := partsOf(r.pseudonymised, &response)
	switch {
	case isRedacted:
		response.Answer, response.Redacted = nil, true
	case isPseudonymised:
		response.Answer = []byte(`{"pseudonym":"` + pseudonymOf(r.key, response.Answer) + `"}`)
	case len(redacted)+len(pseudonymised) > 0:
		answer, err := r.replace(response.Answer, redacted, pseudonymised)
		response.Answer, response.Redacted = answer, err != nil
	}
	return response
}

// replace returns the answer with null and pseudonyms at the paths. An answer that
// is not JSON is an error: it could contain anything.
func (r *Redaction) replace(answer []byte, redacted, pseudonymised []jsonpath.AnswerPath) ([]byte, error) {
	if err := jsonpath.CheckJSON(answer); err != nil {
		return nil, err
	}
	null := []byte("null")
	var edits []jsonpath.Edit
	for _, path := range redacted {
		edits = append(edits, jsonpath.Edit{Path: path, With: func([]byte) []byte { return null }})
	}
	for _, path := range pseudonymised {
		edits = append(edits, jsonpath.Edit{Path: path, With: func(value []byte) []byte {
			if bytes.Equal(value, null) {
				return null
			}
			return []byte(`"` + pseudonymOf(r.key, value) + `"`)
		}})
	}
	return jsonpath.Replace(answer, edits), nil
}

func compileParts(parts []config.AnswerPart) []answerPart {
	if parts == nil {
		return nil
	}
	compiled := make([]answerPart, 0, len(parts))
	for _, part := range parts {
		path, _ := jsonpath.ParseAnswerPath(part.Path) // config.Load has checked it
		compiled = append(compiled, answerPart{part, path})
	}
	return compiled
}

// partsOf returns the paths into the response's answer, or whether whole answers are meant.
func partsOf(parts []answerPart, response *Response) (paths []jsonpath.AnswerPath, whole bool) {
	for _, part := range parts {
		if !part.names(response) {
			continue
		}
		if len(part.path) == 0 {
			return nil, true
		}
		paths = append(paths, part.path)
	}
	return paths, false
}

func (p *answerPart) names(response *Response) bool {
	anyPage := p.Page == config.PageName{}
	return (anyPage || isPage(p.Page, response.Page)) && (p.Item == "" || bodies.MatchesPattern(p.Item, response.Item)) && (p.Type == "" || response.Type != nil && p.Type == *response.Type)
}

// pseudonym returns the HMAC-SHA-256 of the text in hex, which anybody who has
// the key can compute.
func pseudonym(key, text []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write(text)
	return hex.EncodeToString(mac.Sum(nil))
}

// pseudonymOf returns the pseudonym of a JSON value: of a string's text, however
// it is escaped, or of the bytes of any other value.
func pseudonymOf(key, value []byte) string {
	if parsed := gjson.ParseBytes(value); parsed.Type == gjson.String {
		return pseudonym(key, []byte(parsed.Str))
	}
	return pseudonym(key, value)
}
