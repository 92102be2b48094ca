package record

import (
	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/config"
	"github.com/sidehook/sidehook/rules/jsonpath"
)

// standardTime is RFC 3339 in UTC with milliseconds.
const standardTime = "2006-01-02T15:04:05.000Z"

// format makes the body of a webhook.
type format struct {
	contentType string
	body        func(about envelope, e *rules.Event) []byte
}

// envelope is what a body holds beside the event.
type envelope struct {
	// id is the event's id, which differs from the delivery's.
	id string
	// rule is the first rule that sends the event to the target.
	rule string
}

// formats has every format that a target can have. A new one also needs: its name
// in rules/config/target.go, what it asks of a target in check_target.go there, its
// headers in emitter/send/sign.go, a line in config.example.yaml and, made from it,
// rules/schema/config.json.
var formats = map[config.Format]format{
	config.FormatDecsys:      {"application/json; charset=utf-8", decsysBody},
	config.FormatStandard:    {"application/json", standardBody},
	config.FormatCloudEvents: {"application/cloudevents+json; charset=utf-8", cloudEventBody},
}

// standardBody has a type, a time and the event's data, as Standard Webhooks
// recommends, and the rule beside them, since the data does not depend on it.
// emitter/schema/standard.json describes it.
func standardBody(about envelope, e *rules.Event) []byte {
	b := append(make([]byte, 0, 2048), `{"type":"`...)
	b = append(b, eventType(e)...)
	b = append(b, `","timestamp":"`...)
	b = e.At.UTC().AppendFormat(b, standardTime)
	b = append(b, `","rule":`...)
	b = jsonpath.AppendString(b, about.rule)
	b = append(b, `,"data":`...)
	b = append(b, e.Data()...)
	return append(b, '}')
}

func eventType(e *rules.Event) string {
	switch e.Name() {
	case config.Completion:
		return "survey.completed"
	case config.Started:
		return "survey.started"
	case config.Abandoned:
		return "survey.abandoned"
	case config.PageNavigation:
	}
	return "survey.page_navigated"
}
