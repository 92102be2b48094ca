package rules

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"github.com/tidwall/gjson"

	"github.com/sidehook/sidehook/rules/config"
	"github.com/sidehook/sidehook/rules/jsonpath"
)

// Redaction makes of an event what a target may see of it. It never changes,
// and nil takes nothing away.
type Redaction struct {
	// only is nil for every answer.
	only                  []answerPart
	redacted, pseudonyms  []answerPart
	redactsParticipant    bool
	pseudonymsParticipant bool
	key                   []byte
}

// answerPart is an AnswerPart with its path compiled; an empty one is the whole answer.
type answerPart struct {
	config.AnswerPart
	path jsonpath.AnswerPath
}

// NewRedaction compiles what a loaded configuration says of a target; nil for a target that may see everything.
func NewRedaction(t *config.Target) *Redaction {
	r := &Redaction{
		only:                  compileParts(t.Only),
		redacted:              compileParts(t.Redact.Answers),
		pseudonyms:            compileParts(t.Pseudonymise.Answers),
		redactsParticipant:    t.Redact.Participant,
		pseudonymsParticipant: t.Pseudonymise.Participant,
		key:                   []byte(t.Pseudonymise.Key.Reveal()),
	}
	if r.only == nil && !r.HidesParticipant() && len(r.redacted)+len(r.pseudonyms) == 0 {
		return nil
	}
	return r
}

// HidesParticipant tells whether the target must not learn who the participant is.
func (r *Redaction) HidesParticipant() bool {
	return r != nil && (r.redactsParticipant || r.pseudonymsParticipant)
}

// Apply gives the event as the target may see it; e stays as it is.
func (r *Redaction) Apply(e *Event) *Event {
	if r == nil {
		return e
	}
	seen := *e
	switch {
	case r.redactsParticipant:
		seen.Participant.ID = ""
	case r.pseudonymsParticipant:
		seen.Participant.ID = pseudonym(r.key, []byte(e.Participant.ID))
	}
	if r.HidesParticipant() {
		// Whoever keeps traces finds the request by it, and the request names the participant.
		seen.Traceparent = ""
	}
	seen.Responses = nil
	for i := range e.Responses {
		if r.sends(&e.Responses[i]) {
			seen.Responses = append(seen.Responses, r.response(e, e.Responses[i]))
		}
	}
	return &seen
}

func (r *Redaction) sends(response *Response) bool {
	return r.only == nil || slices.ContainsFunc(r.only, func(p answerPart) bool { return p.names(response) })
}

// response hides what there is to hide: only an answer that says something.
func (r *Redaction) response(e *Event, response Response) Response {
	if e.State(&response) != Answered {
		return response
	}
	redacted, whole := partsOf(r.redacted, &response)
	pseudonyms, wholePseudonym := partsOf(r.pseudonyms, &response)
	switch {
	case whole:
		response.Answer, response.Redacted = nil, true
	case wholePseudonym:
		response.Answer = []byte(`{"pseudonym":"` + pseudonymOf(r.key, response.Answer) + `"}`)
	case len(redacted)+len(pseudonyms) > 0:
		answer, err := r.replace(response.Answer, redacted, pseudonyms)
		response.Answer, response.Redacted = answer, err != nil
	}
	return response
}

// replace puts null and pseudonyms in the place of what the paths name. An answer
// that can't be read is not let through.
func (r *Redaction) replace(answer []byte, redacted, pseudonyms []jsonpath.AnswerPath) ([]byte, error) {
	if err := jsonpath.CheckJSON(answer); err != nil {
		return nil, err
	}
	var found []jsonpath.Span
	for _, path := range redacted {
		found = path.AppendSpans(found, answer, true)
	}
	for _, path := range pseudonyms {
		found = path.AppendSpans(found, answer, false)
	}
	return jsonpath.ReplaceSpans(answer, found, func(s jsonpath.Span) []byte {
		value := answer[s.Start:s.End]
		if s.Redacted || string(value) == "null" {
			return []byte("null")
		}
		return []byte(`"` + pseudonymOf(r.key, value) + `"`)
	}), nil
}

func compileParts(parts []config.AnswerPart) []answerPart {
	if parts == nil {
		return nil
	}
	compiled := make([]answerPart, 0, len(parts))
	for _, part := range parts {
		path, _ := jsonpath.ParseAnswerPath(part.Path) // Load has found it right
		compiled = append(compiled, answerPart{part, path})
	}
	return compiled
}

// partsOf gives the paths of those parts that name the response's answer, or whole.
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
	return (anyPage || isPage(p.Page, response.Page)) && (p.Type == "" || response.Type != nil && p.Type == *response.Type)
}

// pseudonym is HMAC-SHA-256 of the text in hex, so that whoever has the key can
// make it with any tool.
func pseudonym(key, text []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write(text)
	return hex.EncodeToString(mac.Sum(nil))
}

// pseudonymOf makes the pseudonym of a JSON value: of a string's text, however it
// is escaped, and of the bytes of anything else.
func pseudonymOf(key, value []byte) string {
	if parsed := gjson.ParseBytes(value); parsed.Type == gjson.String {
		return pseudonym(key, []byte(parsed.Str))
	}
	return pseudonym(key, value)
}
