package rules

// formAnswers stores the answers of a form. An empty text is no answer, unless there was
// one before, which is cleared then; so are answers that a form lacks, if it is that of
// the page that the participant was on.
func (j *Journey) formAnswers(o *Observation, isOfPage bool) {
	if len(o.Answers) == 0 && !o.OnPage {
		return
	}
	items := j.pointedItems()
	unsent := map[string]bool{} // items of the page that the form does not have
	several := map[string]bool{}
	for _, item := range items {
		unsent[item.ID], several[item.ID] = true, item.takesSeveral()
	}
	for _, one := range o.Answers {
		item := one.Item
		if item == "" { // the reply to the page that the participant was on
			if len(items) == 0 {
				continue
			}
			item = items[0].ID
		}
		if _, isOnPage := unsent[item]; o.OnPage && !isOnPage {
			continue
		}
		answer := one.Answer
		if one.All != nil && several[item] {
			answer = one.All
		}
		j.formAnswer(o, item, answer)
		unsent[item] = false
	}
	for _, item := range items {
		if o.OnPage && isOfPage && unsent[item.ID] && j.answer(item.ID).Bytes != nil { // browsers send no box that is not ticked
			j.formAnswer(o, item.ID, []byte(`""`))
		}
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
	if encoded := j.putAnswer(item, answer); encoded != nil {
		j.addLate(o.Ticket, item, encoded)
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
