package rules

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/sidehook/sidehook/rules/config"
)

// knownPage is a page of a journey with its definition, nil if it has none.
type knownPage struct {
	*pageState
	definition *Page
}

// event returns the event of the navigation o, with the journey as it is now.
func (j *Journey) event(o *Observation) *Event {
	event, pages := j.newEvent(o.At)
	event.Traceparent = o.Traceparent
	event.From = refOf(pages, j.Pointer)
	if o.Page != nil {
		to := refOf(pages, o.Page.ID)
		event.To = &to
	} else {
		event.Outcome = o.Outcome
	}
	return event
}

// started returns the event of a participant whose first page was loaded by o.
func (j *Journey) started(page string, o *Observation) *Event {
	event, pages := j.newEvent(o.At)
	event.Kind, event.Traceparent = config.Started, o.Traceparent
	to := refOf(pages, page)
	event.To = &to
	return event
}

// abandoned returns the event of a participant who is silent since their last exchange.
func (j *Journey) abandoned(last, at time.Time) *Event {
	event, pages := j.newEvent(at)
	event.Kind, event.LastExchange = config.Abandoned, last
	event.From = refOf(pages, j.Pointer)
	return event
}

// newEvent returns an event without its pages, and the pages of the journey as it is
// now. It is the one thing that reads the whole journey.
func (j *Journey) newEvent(at time.Time) (*Event, map[string]knownPage) {
	pages := map[string]knownPage{}
	for _, name := range j.store.Parts(j.key, partPage) {
		if page := j.page(strings.TrimPrefix(name, partPage)); page != nil {
			pages[page.id] = knownPage{page, j.definition(page)}
		}
	}
	responses, isKnown := j.responses(pages)
	return &Event{
		Place:       j.Place,
		At:          at,
		Survey:      Survey{ID: j.Survey, Instance: cmp.Or(j.key.Instance, j.Survey), FriendlyID: j.FriendlyID, Study: j.Study},
		Participant: Participant{ID: j.key.Participant, Started: j.Started},
		PageCount:   j.PageCount,
		Partial:     j.Partial || !isKnown,
		Responses:   responses,
	}, pages
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
	listed := map[string]bool{}
	answers := 0
	for _, page := range pages {
		if page.definition == nil || page.Loaded.IsZero() {
			continue
		}
		for i, item := range page.definition.items() {
			if listed[item.ID] { // on several pages
				continue
			}
			listed[item.ID] = true
			answer := j.answer(item.ID)
			isKnown = isKnown && !answer.IsUnknown
			if answer.IsUnknown || answer.Bytes != nil {
				answers++
			}
			response := page.response(&item, answer)
			response.IsFurther = i > 0
			responses = append(responses, response)
		}
	}
	slices.SortStableFunc(responses, func(a, b Response) int {
		return cmp.Or(cmp.Compare(a.Page.Number, b.Page.Number), cmp.Compare(a.Page.Position, b.Page.Position), cmp.Compare(a.Page.ID, b.Page.ID))
	})
	if answers == j.KnownAnswers { // as in Decsys, where pages list all items
		return responses, isKnown
	}
	unlisted, areKnown := j.unlisted(listed)
	return append(responses, unlisted...), isKnown && areKnown
}

// unlisted returns the answers of forms to items that no page lists, first those that
// the survey lists. areKnown is false if one is unknown.
func (j *Journey) unlisted(listed map[string]bool) (responses []Response, areKnown bool) {
	areKnown = true
	add := func(item Item) {
		switch answer := j.answer(item.ID); {
		case listed[item.ID]:
		case answer.IsUnknown:
			areKnown = false
		case answer.IsOfForm:
			responses = append(responses, unlistedResponse(item, answer))
		}
		listed[item.ID] = true
	}
	names := j.store.Parts(j.key, partAnswer)
	isUnlisted := func(name string) bool { return !listed[strings.TrimPrefix(name, partAnswer)] }
	if slices.ContainsFunc(names, isUnlisted) {
		for _, item := range j.surveyItems() {
			add(item)
		}
	}
	for _, name := range names {
		add(Item{ID: strings.TrimPrefix(name, partAnswer)})
	}
	return responses, areKnown
}

// unlistedResponse is the answer to an item of no page.
func unlistedResponse(item Item, answer Answer) Response {
	response := knownPage{pageState: &pageState{}}.response(&item, answer)
	response.IsFurther = true
	return response
}

// surveyItem returns the item as the survey lists it, or else with its id alone.
func (j *Journey) surveyItem(id string) Item {
	for _, item := range j.surveyItems() {
		if item.ID == id {
			return item
		}
	}
	return Item{ID: id}
}

func (p knownPage) question() *string {
	if p.definition == nil {
		return nil
	}
	return p.definition.Question
}

func (p knownPage) response(item *Item, answer Answer) Response {
	return Response{
		Page:       p.ref(),
		Question:   cmp.Or(item.Question, p.question()),
		Item:       item.ID,
		Type:       item.Type,
		Optional:   item.Optional,
		Options:    item.Options,
		Left:       p.Left,
		Answer:     answer.Bytes,
		PageLoaded: p.Loaded,
		Recorded:   answer.Recorded,
	}
}
