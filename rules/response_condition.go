package rules

import (
	"slices"
	"strconv"
	"strings"

	"github.com/sidehook/sidehook/rules/bodies"
	"github.com/sidehook/sidehook/rules/strictyaml"
)

// wrongCondition is what is wrong with a text that is no responseCondition.
const wrongCondition = "must be a status, or several, and may have a media type, such as 200 application/json or 200 or 302 text/html, not %q"

// responseCondition is the response with which the app accepts a request. A
// profile writes it as a status, or several, and maybe a media type: 200
// application/json, 200 or 302 text/html.
type responseCondition struct {
	statuses  []int
	mediaType string // empty for any
}

// compileCondition compiles the text of a profile; none means 200.
func compileCondition(doc *strictyaml.Document, path, text string) responseCondition {
	if text == "" {
		return responseCondition{statuses: []int{200}}
	}
	c := responseCondition{}
	rest, isMore := text, true
	for isMore {
		var code string
		code, rest, isMore = strings.Cut(rest, alternative)
		if !isMore {
			code, c.mediaType, _ = strings.Cut(code, " ")
		}
		status, err := strconv.Atoi(code)
		if err != nil || status < 200 || status > 599 {
			doc.Wrong(path, wrongCondition, text)
		}
		c.statuses = append(c.statuses, status)
	}
	if c.mediaType != "" && !strings.Contains(c.mediaType, "/") {
		doc.Wrong(path, wrongCondition, text)
	}
	c.mediaType = strings.ToLower(c.mediaType)
	return c
}

// holds reports whether the app accepted the request of x.
func (c responseCondition) holds(x Exchange) bool {
	if !slices.Contains(c.statuses, x.Status) {
		return false
	}
	if c.mediaType == "" {
		return true
	}
	return bodies.MediaType(x.ContentType) == c.mediaType
}

// isRedirect reports whether a response may be one that only leads elsewhere.
func (c responseCondition) isRedirect() bool {
	return slices.ContainsFunc(c.statuses, func(status int) bool { return status >= 300 && status < 400 })
}

// String returns the condition as a profile writes it.
func (c responseCondition) String() string {
	codes := make([]string, len(c.statuses))
	for i, status := range c.statuses {
		codes[i] = strconv.Itoa(status)
	}
	return strings.TrimSpace(strings.Join(codes, alternative) + " " + c.mediaType)
}
