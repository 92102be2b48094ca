package record

import (
	"net/url"

	"github.com/sidehook/sidehook/rules"
)

// cloudType goes before the type of format standard, since a CloudEvent's type
// should begin with the reversed name of who defined it.
const cloudType = "io.github.sidehook."

// cloudEventBody is the event as a structured CloudEvent (CloudEvents 1.0.2, its
// JSON format). source and id name the event: the survey's instance, and the same
// id for every target; rule is an extension attribute. The participant stays out of the attributes, which are
// what gets routed by and logged on the way (section "Privacy and Security").
func cloudEventBody(about envelope, e *rules.Event) []byte {
	b := append(make([]byte, 0, 2048), `{"specversion":"1.0","type":"`+cloudType...)
	b = append(b, eventType(e)...)
	b = append(b, `","source":`...)
	b = rules.AppendString(b, "/surveys/"+url.PathEscape(e.Survey.ID)+"/"+url.PathEscape(e.Survey.Instance))
	b = append(b, `,"subject":`...)
	b = rules.AppendString(b, surveyName(&e.Survey))
	b = append(b, `,"id":`...)
	b = rules.AppendString(b, about.id)
	b = append(b, `,"time":"`...)
	b = e.At.UTC().AppendFormat(b, standardTime)
	b = append(b, `","rule":`...)
	b = rules.AppendString(b, about.rule)
	b = append(b, `,"datacontenttype":"application/json","data":`...)
	b = append(b, e.Data()...)
	return append(b, '}')
}
