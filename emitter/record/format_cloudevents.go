package record

import (
	"net/url"

	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/jsonpath"
)

// cloudType is the prefix of the type: it should be the reversed domain name of
// whoever defines it (CloudEvents 1.0.2, section "type").
const cloudType = "io.github.sidehook."

// cloudEventBody is a structured CloudEvent in JSON (CloudEvents 1.0.2). The source
// is the survey's instance, and the id is the same for every target; rule is an
// extension attribute. The participant is in no attribute: intermediaries route by
// them and log them (section "Privacy and Security").
func cloudEventBody(about envelope, e *rules.Event) []byte {
	b := append(make([]byte, 0, 2048), `{"specversion":"1.0","type":"`+cloudType...)
	b = append(b, eventType(e)...)
	b = append(b, `","source":`...)
	b = jsonpath.AppendString(b, "/surveys/"+url.PathEscape(e.Survey.ID)+"/"+url.PathEscape(e.Survey.Instance))
	b = append(b, `,"subject":`...)
	b = jsonpath.AppendString(b, surveyName(&e.Survey))
	b = append(b, `,"id":`...)
	b = jsonpath.AppendString(b, about.id)
	b = append(b, `,"time":"`...)
	b = e.At.UTC().AppendFormat(b, standardTime)
	b = append(b, `","rule":`...)
	b = jsonpath.AppendString(b, about.rule)
	b = append(b, `,"datacontenttype":"application/json","data":`...)
	b = append(b, e.Data()...)
	return append(b, '}')
}
