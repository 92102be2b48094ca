package emitter

import (
	"github.com/sidehook/sidehook/rules"
)

// format makes the body of a webhook; it is made once, and never again.
type format struct {
	contentType string
	body        func(e *rules.Event) []byte
}

// formats has every format that a target can ask for.
var formats = map[rules.Format]format{
	rules.FormatDecsys:   {"application/json; charset=utf-8", decsysBody},
	rules.FormatStandard: {"application/json", standardBody},
}

// standardBody is DESIGN's own shape: a type, a time and the event's data, as
// Standard Webhooks recommends.
func standardBody(e *rules.Event) []byte {
	name := "survey.page_navigated"
	if e.Completed() {
		name = "survey.completed"
	}
	b := append(make([]byte, 0, 2048), `{"type":"`...)
	b = append(b, name...)
	b = append(b, `","timestamp":"`...)
	b = e.At.UTC().AppendFormat(b, "2006-01-02T15:04:05.000Z")
	b = append(b, `","data":`...)
	b = append(b, e.Data()...)
	return append(b, '}')
}
