package demo

import "encoding/json"

// Survey is a survey and its one instance.
type Survey struct {
	// ID and Instance are the numbers of the survey and its instance, from 1.
	// Together they make the friendly id in the participant's link.
	ID, Instance int
	Name         string
	Pages        []Page
}

// Page is a page, in the wire's order.
type Page struct {
	ID         string      `json:"id"`
	Name       *string     `json:"name"`  // null when the author gave none
	Order      int         `json:"order"` // in the author's order, from 1
	Components []Component `json:"components"`
	Randomize  bool        `json:"randomize"`
}

// Component is an item of a page: content, or an item that takes a response. The
// fields are in the wire's order.
type Component struct {
	Type           string          `json:"type"`
	Order          int             `json:"order"` // from 1
	ID             string          `json:"id"`
	Params         json.RawMessage `json:"params"`
	IsQuestionItem bool            `json:"isQuestionItem"`
	IsOptional     bool            `json:"isOptional"`
}

// Library returns the built-in survey: five invented pages about a library, survey
// 5, instance 3, friendly id fzd. The three pages in the middle may be shuffled.
func Library() Survey {
	return Survey{ID: 5, Instance: 3, Name: "A visit to the library", Pages: []Page{
		{ID: "5d0a1c00-0000-4000-8000-000000000001", Name: new("Consent"), Order: 1, Components: []Component{
			{Type: "heading", Order: 1, ID: "5d0a1c00-0000-4000-8001-000000000001", Params: json.RawMessage(`{"text":"A visit to the library"}`)},
			{Type: "paragraph", Order: 2, ID: "5d0a1c00-0000-4000-8001-000000000002", Params: json.RawMessage(`{"text":"Four short questions about your last visit. Nobody is named, and you can stop at any time."}`), IsQuestionItem: true},
			{Type: "Confirmation", Order: 3, ID: "5d0a1c00-0000-4000-8001-000000000003", Params: json.RawMessage(`{"label":"I have read this and take part."}`)},
		}},
		{ID: "5d0a1c00-0000-4000-8000-000000000002", Name: new("Reason"), Order: 2, Randomize: true, Components: []Component{
			{Type: "heading", Order: 1, ID: "5d0a1c00-0000-4000-8002-000000000001", Params: json.RawMessage(`{"text":"What brought you there?"}`), IsQuestionItem: true},
			{Type: "Choose One", Order: 2, ID: "5d0a1c00-0000-4000-8002-000000000002", Params: json.RawMessage(`{"option0":"Borrowing or returning","option1":"A place to work","option2":"An event","option3":"The warm radiator"}`)},
		}},
		{ID: "5d0a1c00-0000-4000-8000-000000000003", Name: new("Welcome"), Order: 3, Randomize: true, Components: []Component{
			{Type: "heading", Order: 1, ID: "5d0a1c00-0000-4000-8003-000000000001", Params: json.RawMessage(`{"text":"How welcome did you feel?"}`), IsQuestionItem: true},
			{Type: "Discrete Scale", Order: 2, ID: "5d0a1c00-0000-4000-8003-000000000002", Params: json.RawMessage(`{"radio1":"1","radio1Secondary":"Not at all","radio2":"2","radio3":"3","radio4":"4","radio5":"5","radio5Secondary":"Entirely"}`), IsOptional: true},
		}},
		{ID: "5d0a1c00-0000-4000-8000-000000000004", Name: new("Books"), Order: 4, Randomize: true, Components: []Component{
			{Type: "heading", Order: 1, ID: "5d0a1c00-0000-4000-8004-000000000001", Params: json.RawMessage(`{"text":"How many books did you take home?"}`), IsQuestionItem: true},
			{Type: "Number", Order: 2, ID: "5d0a1c00-0000-4000-8004-000000000002", Params: json.RawMessage(`{"min":0,"max":40,"precision":0}`), IsOptional: true},
		}},
		{ID: "5d0a1c00-0000-4000-8000-000000000005", Name: new("Remarks"), Order: 5, Components: []Component{
			{Type: "heading", Order: 1, ID: "5d0a1c00-0000-4000-8005-000000000001", Params: json.RawMessage(`{"text":"Anything else?"}`), IsQuestionItem: true},
			{Type: "Free Text", Order: 2, ID: "5d0a1c00-0000-4000-8005-000000000002", Params: json.RawMessage(`{"maxLength":500}`), IsOptional: true},
		}},
	}}
}

// order returns the ids of all pages; those marked Randomize are shuffled among
// their own places.
func (s Survey) order(shuffle func(int, func(i, j int))) []string {
	ids := make([]string, len(s.Pages))
	var places []int
	for i, page := range s.Pages {
		ids[i] = page.ID
		if page.Randomize {
			places = append(places, i)
		}
	}
	shuffle(len(places), func(i, j int) {
		ids[places[i]], ids[places[j]] = ids[places[j]], ids[places[i]]
	})
	return ids
}

// page returns the page with this id, or nil.
func (s Survey) page(id string) *Page {
	for i := range s.Pages {
		if s.Pages[i].ID == id {
			return &s.Pages[i]
		}
	}
	return nil
}

// response returns the item that takes the page's response, or nil.
func (p *Page) response() *Component {
	for i := range p.Components {
		if !p.Components[i].isContent() {
			return &p.Components[i]
		}
	}
	return nil
}

// question returns the text of the item marked as the question, or else of the
// first content item; nil for a page without content.
func (p *Page) question() *string {
	var item *Component
	for i := range p.Components {
		c := &p.Components[i]
		if c.IsQuestionItem || item == nil && c.isContent() {
			item = c
		}
		if c.IsQuestionItem {
			break
		}
	}
	if item == nil {
		return nil
	}
	var params struct{ Text, QuestionContent string }
	_ = json.Unmarshal(item.Params, &params) // other params have no text
	text := params.Text + params.QuestionContent
	return &text
}

func (c *Component) isContent() bool {
	switch c.Type {
	case "heading", "paragraph", "image", "spacer":
		return true
	}
	return false
}
