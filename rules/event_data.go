package rules

import (
	"strconv"

	"github.com/tidwall/gjson"

	"github.com/sidehook/sidehook/rules/jsonpath"
)

// Data returns the event as JSON: what the `when` of a rule reads, and the data of
// formats standard and cloudevents. Answers are in it byte for byte.
func (e *Event) Data() []byte {
	d := append(make([]byte, 0, 1024), `{"survey":`...)
	d = e.Survey.appendJSON(d)
	d = append(d, `,"participant":{"id":`...)
	d = jsonpath.AppendString(d, e.Participant.ID)
	d = append(d, `,"started":`...)
	d = appendTime(d, e.Participant.Started)
	d = append(d, `},"from":`...)
	d = e.From.appendJSON(d)
	d = append(d, `,"to":`...)
	d = e.To.appendJSON(d)
	d = append(d, `,"completed":`...)
	d = strconv.AppendBool(d, e.Completed())
	d = append(d, `,"outcome":`...)
	d = appendText(d, string(e.outcome()))
	d = append(d, `,"recovered":`...)
	d = strconv.AppendBool(d, e.Recovered)
	d = append(d, `,"partial":`...)
	d = strconv.AppendBool(d, e.Partial)
	d = append(d, `,"page_count":`...)
	d = strconv.AppendInt(d, int64(e.PageCount), 10)
	d = append(d, `,"responses":[`...)
	for i := range e.Responses {
		if i > 0 {
			d = append(d, ',')
		}
		d = e.appendResponse(d, &e.Responses[i])
	}
	return append(d, `]}`...)
}

func (s *Survey) appendJSON(d []byte) []byte {
	d = append(d, `{"id":`...)
	d = appendText(d, s.ID)
	d = append(d, `,"instance":`...)
	d = jsonpath.AppendString(d, s.Instance)
	d = append(d, `,"friendly_id":`...)
	d = appendText(d, s.FriendlyID)
	d = append(d, `,"study":`...)
	d = appendText(d, s.Study)
	return append(d, '}')
}

// appendJSON appends the page, or null if there is none or it is unknown.
func (p *PageRef) appendJSON(d []byte) []byte {
	if p == nil || p.ID == "" {
		return append(d, "null"...)
	}
	d = append(d, `{"id":`...)
	d = jsonpath.AppendString(d, p.ID)
	d = append(d, `,"number":`...)
	d = strconv.AppendInt(d, int64(p.Number), 10)
	d = append(d, `,"position":`...)
	d = strconv.AppendInt(d, int64(p.Position), 10)
	d = append(d, `,"name":`...)
	d = jsonpath.AppendNullable(d, p.Name)
	return append(d, '}')
}

func (e *Event) appendResponse(d []byte, r *Response) []byte {
	d = append(d, `{"page":`...)
	d = appendNumberOf(d, &r.Page, r.Page.Number)
	d = append(d, `,"page_name":`...)
	d = jsonpath.AppendNullable(d, r.Page.Name)
	d = append(d, `,"position":`...)
	d = appendNumberOf(d, &r.Page, r.Page.Position)
	d = append(d, `,"item":`...)
	d = jsonpath.AppendString(d, r.Item)
	d = append(d, `,"question":`...)
	d = jsonpath.AppendNullable(d, r.Question)
	d = append(d, `,"type":`...)
	d = jsonpath.AppendNullable(d, r.Type)
	d = append(d, `,"optional":`...)
	d = strconv.AppendBool(d, r.Optional)
	d = append(d, `,"state":`...)
	d = jsonpath.AppendString(d, string(e.state(r)))
	d = append(d, `,"response":`...)
	if len(r.Answer) == 0 {
		d = append(d, "null"...)
	} else {
		d = append(d, r.Answer...)
	}
	d = append(d, `,"label":`...)
	d = appendLabel(d, r)
	d = append(d, `,"page_loaded":`...)
	d = appendTime(d, r.PageLoaded)
	d = append(d, `,"recorded":`...)
	d = appendTime(d, r.Recorded)
	return append(d, '}')
}

// appendNumberOf appends a number of a page, or null where the page is unknown.
func appendNumberOf(d []byte, page *PageRef, number int) []byte {
	if page.ID == "" {
		return append(d, "null"...)
	}
	return strconv.AppendInt(d, int64(number), 10)
}

// appendLabel appends what the app displays for the answer: a text, or a list of them
// for a list. It is null where an option has none, or the answer is no option, and in
// a list where an option has come before.
func appendLabel(d []byte, r *Response) []byte {
	answer := gjson.ParseBytes(r.Answer)
	if len(r.Options) == 0 || !answer.IsArray() {
		return jsonpath.AppendNullable(d, r.label(answer))
	}
	labels := r.labels()
	d = append(d, '[')
	for i, one := range answer.Array() {
		if i > 0 {
			d = append(d, ',')
		}
		d = jsonpath.AppendNullable(d, labels[one.String()])
		delete(labels, one.String())
	}
	return append(d, ']')
}

// labels returns the labels of the options, the first of each value.
func (r *Response) labels() map[string]*string {
	labels := map[string]*string{}
	for i := range r.Options {
		if option := &r.Options[i]; option.Label != "" && labels[option.Value] == nil {
			labels[option.Value] = &option.Label
		}
	}
	return labels
}

func (r *Response) label(answer gjson.Result) *string {
	for i := range r.Options {
		if option := &r.Options[i]; answer.Exists() && option.Value == answer.String() && option.Label != "" {
			return &option.Label
		}
	}
	return nil
}
