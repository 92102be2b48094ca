package rules

import (
	"strconv"
	"strings"

	"github.com/sidehook/sidehook/rules/bodies"
	"github.com/sidehook/sidehook/rules/strictyaml"
)

// responseCondition is the response with which the app accepts a request. A
// profile writes it as a status and maybe a media type: 200 application/json.
type responseCondition struct {
	status    int
	mediaType string // empty for any
}

// compileCondition compiles the text of a profile; none means 200.
func compileCondition(doc *strictyaml.Document, path, text string) responseCondition {
	if text == "" {
		return responseCondition{status: 200}
	}
	code, mediaType, _ := strings.Cut(text, " ")
	status, err := strconv.Atoi(code)
	if err != nil || status < 200 || status > 599 || mediaType != "" && !strings.Contains(mediaType, "/") {
		doc.Wrong(path, "must be a status and may have a media type, such as 200 application/json, not %q", text)
	}
	return responseCondition{status: status, mediaType: strings.ToLower(mediaType)}
}

// holds reports whether the app accepted the request of x.
func (c responseCondition) holds(x Exchange) bool {
	if x.Status != c.status {
		return false
	}
	if c.mediaType == "" {
		return true
	}
	return bodies.MediaType(x.ContentType) == c.mediaType
}

// String returns the condition as a profile writes it.
func (c responseCondition) String() string {
	return strings.TrimSpace(strconv.Itoa(c.status) + " " + c.mediaType)
}
