package rules

import "slices"

// formAnswers stores the answers of a form. An empty text is none, unless there was
// one before, which is cleared then.
func (j *Journey) formAnswers(o *Observation) {
	if len(o.Answers) == 0 && !o.OnPage {
		return
	}
	items := j.pointedItems()
	for _, one := range o.Answers {
		item := one.Item
		if item == "" { // the reply to the page that the participant was on
			if len(items) == 0 {
				continue
			}
			item = items[0].ID
		}
		if o.OnPage && !hasItem(items, item) {
			continue
		}
		j.formAnswer(o, item, one.Answer)
	}
	if o.OnPage {
		j.clearUnsent(o, items)
	}
}

func (j *Journey) formAnswer(o *Observation, item string, bytes []byte) {
	before := j.answer(item)
	if string(bytes) == `""` && (before.Bytes == nil || string(before.Bytes) == `""`) && !before.IsUnknown {
		return
	}
	answer := Answer{Bytes: bytes, Recorded: o.At, IsOfForm: true}
	if len(bytes) > j.limits.answer() {
		answer = Answer{IsUnknown: true}
		j.refuse(RefusedAnswer)
	}
	j.putAnswer(item, answer)
}

// clearUnsent clears the answers to those items of the page that the form did not
// have: browsers send no box that is not ticked.
func (j *Journey) clearUnsent(o *Observation, items []Item) {
	for _, item := range items {
		isSent := slices.ContainsFunc(o.Answers, func(a ItemAnswer) bool { return a.Item == item.ID })
		if !isSent && j.answer(item.ID).Bytes != nil {
			j.formAnswer(o, item.ID, []byte(`""`))
		}
	}
}

// pointedItems returns the items of the page that the participant is on.
func (j *Journey) pointedItems() []Item { return j.itemsOf(j.Pointer) }

func (j *Journey) itemsOf(id string) []Item {
	page := j.page(id)
	if page == nil {
		return nil
	}
	definition := j.definition(page)
	if definition == nil {
		return nil
	}
	return definition.items()
}

func hasItem(items []Item, id string) bool {
	return slices.ContainsFunc(items, func(item Item) bool { return item.ID == id })
}
