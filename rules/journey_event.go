package rules

import (
	"cmp"
	"slices"
	"strings"
)

// knownPage is a page of a journey with its definition, nil if it has none.
type knownPage struct {
	*pageState
	definition *Page
}

// event returns the event of the navigation o, with the journey as it is now. It
// is the one thing that reads the whole journey.
func (j *Journey) event(o *Observation) *Event {
	pages := map[string]knownPage{}
	for _, name := range j.store.Parts(j.key, partPage) {
		if page := j.page(strings.TrimPrefix(name, partPage)); page != nil {
			pages[page.id] = knownPage{page, j.definition(page)}
		}
	}
	responses, isKnown := j.responses(pages)
	event := &Event{
		Place:       j.Place,
		At:          o.At,
		Survey:      Survey{ID: j.Survey, Instance: o.Journey.Instance, FriendlyID: j.FriendlyID, Study: j.Study},
		Participant: Participant{ID: o.Journey.Participant, Started: j.Started},
		From:        refOf(pages, j.Pointer),
		PageCount:   j.PageCount,
		Partial:     j.Partial || !isKnown,
		Responses:   responses,
		Traceparent: o.Traceparent,
	}
	if o.Page != nil {
		to := refOf(pages, o.Page.ID)
		event.To = &to
	}
	return event
}

func refOf(pages map[string]knownPage, id string) PageRef {
	page, ok := pages[id]
	if !ok {
		return PageRef{ID: id}
	}
	return page.ref()
}

func (p knownPage) ref() PageRef {
	ref := PageRef{ID: p.id, Position: p.Position}
	if p.definition != nil {
		ref.Number, ref.Name = p.definition.Number, p.definition.Name
	}
	return ref
}

// responses returns those of every page that takes one and was loaded, by page
// number and then by the participant's own order. isKnown is false if the answer
// of one is unknown.
func (j *Journey) responses(pages map[string]knownPage) (responses []Response, isKnown bool) {
	isKnown = true
	for _, page := range pages {
		if page.definition == nil || page.definition.Item == nil || page.Loaded.IsZero() {
			continue
		}
		answer := j.answer(page.definition.Item.ID)
		isKnown = isKnown && !answer.IsUnknown
		responses = append(responses, page.response(answer))
	}
	slices.SortFunc(responses, func(a, b Response) int {
		return cmp.Or(cmp.Compare(a.Page.Number, b.Page.Number), cmp.Compare(a.Page.Position, b.Page.Position), cmp.Compare(a.Page.ID, b.Page.ID))
	})
	return responses, isKnown
}

func (p knownPage) response(answer Answer) Response {
	item := p.definition.Item
	return Response{
		Page:       p.ref(),
		Question:   p.definition.Question,
		Item:       item.ID,
		Type:       item.Type,
		Optional:   item.Optional,
		Left:       p.Left,
		Answer:     answer.Bytes,
		PageLoaded: p.Loaded,
		Recorded:   answer.Recorded,
	}
}
