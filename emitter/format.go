package emitter

import (
	"github.com/sidehook/sidehook/rules"
)

// standardTime is RFC 3339 in UTC with milliseconds.
const standardTime = "2006-01-02T15:04:05.000Z"

// format makes the body of a webhook; it is made once, and never again.
type format struct {
	contentType string
	// body is given an id that the event has for all targets.
	body func(id string, e *rules.Event) []byte
}

// formats has every format that a target can ask for.
var formats = map[rules.Format]format{
	rules.FormatDecsys:      {"application/json; charset=utf-8", decsysBody},
	rules.FormatStandard:    {"application/json", standardBody},
	rules.FormatCloudEvents: {"application/cloudevents+json; charset=utf-8", cloudEventBody},
}

// standardBody is DESIGN's own shape: a type, a time and the event's data, as
// Standard Webhooks recommends.
func standardBody(_ string, e *rules.Event) []byte {
	b := append(make([]byte, 0, 2048), `{"type":"`...)
	b = append(b, eventType(e)...)
	b = append(b, `","timestamp":"`...)
	b = e.At.UTC().AppendFormat(b, standardTime)
	b = append(b, `","data":`...)
	b = append(b, e.Data()...)
	return append(b, '}')
}

func eventType(e *rules.Event) string {
	if e.Completed() {
		return "survey.completed"
	}
	return "survey.page_navigated"
}
