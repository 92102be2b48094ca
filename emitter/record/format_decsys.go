package record

import (
	"strconv"
	"time"

	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/jsonpath"
)

// decsysTime is the layout of a DateTimeOffset in Newtonsoft.Json: up to seven
// fractional digits, and an offset instead of Z.
const decsysTime = `"2006-01-02T15:04:05.9999999-07:00"`

// decsysNever is DateTimeOffset.MinValue, the time of a missing answer.
const decsysNever = `"0001-01-01T00:00:00+00:00"`

// decsysBody is the body of Decsys' own webhook (its Models/Webhooks/PayloadModel.cs):
// PascalCase, in its order of keys, with its nulls and dates. It has the odd values
// too: ResolvedSuccess is always false, and the page being skipped has null.
func decsysBody(_ envelope, e *rules.Event) []byte {
	b := append(make([]byte, 0, 2048), `{"Timestamp":`...)
	b = appendDecsysTime(b, e.At)
	b = append(b, `,"SurveyId":`...)
	b = jsonpath.AppendString(b, surveyName(&e.Survey))
	b = append(b, `,"ParticipantId":`...)
	b = jsonpath.AppendString(b, e.Participant.ID)
	b = append(b, `,"EventType":{"SourcePage":`...)
	b = strconv.AppendInt(b, int64(e.From.Position), 10)
	b = append(b, `,"TargetPage":0,"ResolvedPage":`...)
	b = strconv.AppendInt(b, int64(e.From.Position)+1, 10)
	b = append(b, `,"ResolvedSuccess":false,"Name":"PAGE_NAVIGATION"},"Payload":{"Id":`...)
	b = jsonpath.AppendString(b, e.Participant.ID)
	b = append(b, `,"SurveyStarted":`...)
	if e.Participant.Started.IsZero() {
		b = append(b, "null"...)
	} else {
		b = appendDecsysTime(b, e.Participant.Started)
	}
	b = append(b, `,"Responses":[`...)
	isFirst := true
	for i := range e.Responses {
		if e.Responses[i].IsFurther { // Decsys has one item on a page
			continue
		}
		if !isFirst {
			b = append(b, ',')
		}
		isFirst = false
		b = appendDecsysResponse(b, &e.Responses[i])
	}
	return append(b, `]}}`...)
}

func appendDecsysResponse(b []byte, r *rules.Response) []byte {
	b = append(b, `{"Page":`...)
	b = strconv.AppendInt(b, int64(r.Page.Number), 10)
	b = append(b, `,"PageName":`...)
	b = jsonpath.AppendNullable(b, r.Page.Name)
	b = append(b, `,"Question":`...)
	b = jsonpath.AppendNullable(b, r.Question)
	b = append(b, `,"ResponseType":`...)
	b = jsonpath.AppendNullable(b, r.Type)
	b = append(b, `,"Order":`...)
	b = strconv.AppendInt(b, int64(r.Page.Position), 10)
	b = append(b, `,"Response":`...)
	b = append(b, decsysAnswer(r)...)
	b = append(b, `,"PageLoad":`...)
	b = appendDecsysTime(b, r.PageLoaded)
	b = append(b, `,"ResponseRecorded":`...)
	b = appendDecsysTime(b, r.Recorded)
	b = append(b, `,"IsOptional":`...)
	b = strconv.AppendBool(b, r.Optional)
	return append(b, '}')
}

// decsysAnswer is the last answer; {} if it is redacted or the page was left
// without one before; null if there is none yet.
func decsysAnswer(r *rules.Response) []byte {
	switch {
	case len(r.Answer) > 0:
		return r.Answer
	case r.Redacted, r.Left:
		return []byte("{}")
	default:
		return []byte("null")
	}
}

func appendDecsysTime(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(b, decsysNever...)
	}
	return t.UTC().AppendFormat(b, decsysTime)
}
