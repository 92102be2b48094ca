package rules

import (
	"cmp"
	"slices"
)

// event returns the event of the navigation o, with the journey as it is now.
func (j *Journey) event(o *Observation) *Event {
	event := &Event{
		Place:       j.Place,
		At:          o.At,
		Survey:      Survey{ID: j.Survey, Instance: o.Journey.Instance, FriendlyID: j.FriendlyID, Study: j.Study},
		Participant: Participant{ID: o.Journey.Participant, Started: j.Started},
		From:        j.ref(j.Pointer),
		PageCount:   j.PageCount,
		Partial:     j.Partial,
		Responses:   j.responses(),
		Traceparent: o.Traceparent,
	}
	if o.Page != nil {
		to := j.ref(o.Page.ID)
		event.To = &to
	}
	return event
}

func (j *Journey) ref(id string) PageRef {
	page := j.find(id)
	if page == nil {
		return PageRef{ID: id}
	}
	return page.ref()
}

func (p *PageState) ref() PageRef {
	ref := PageRef{ID: p.ID, Position: p.Position}
	if p.Definition != nil {
		ref.Number, ref.Name = p.Definition.Number, p.Definition.Name
	}
	return ref
}

// responses returns those of every page that takes one and was loaded, by page
// number and then by the participant's own order.
func (j *Journey) responses() []Response {
	var responses []Response
	for _, page := range j.Pages {
		if page.Definition != nil && page.Definition.Item != nil && !page.Loaded.IsZero() {
			responses = append(responses, j.response(page))
		}
	}
	slices.SortStableFunc(responses, func(a, b Response) int {
		return cmp.Or(cmp.Compare(a.Page.Number, b.Page.Number), cmp.Compare(a.Page.Position, b.Page.Position))
	})
	return responses
}

func (j *Journey) response(page *PageState) Response {
	item := page.Definition.Item
	answer := j.Answers[item.ID]
	return Response{
		Page:       page.ref(),
		Question:   page.Definition.Question,
		Item:       item.ID,
		Type:       item.Type,
		Optional:   item.Optional,
		Left:       page.Left,
		Answer:     answer.Bytes,
		PageLoaded: page.Loaded,
		Recorded:   answer.Recorded,
	}
}
