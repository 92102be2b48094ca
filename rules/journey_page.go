package rules

import "time"

// PageState is the state of one page in a journey.
type PageState struct {
	ID string
	// Definition is nil for a page that was loaded, but never shown in a response.
	Definition *Page
	// Position is the page's place in the participant's own order, from 1.
	Position int
	// Loaded is the last time the page was loaded.
	Loaded time.Time
	// Left reports whether a navigation from the page came after its last load.
	Left bool
}

// learn adds the page's definition, as the participant sees it now. A new page
// gets the next position.
func (j *Journey) learn(o *Observation) {
	if o.PageCount > 0 {
		j.PageCount = o.PageCount
	}
	if o.Page == nil {
		return
	}
	page := j.page(o.Page.ID)
	if page == nil {
		return
	}
	page.Definition = o.Page
	if page.Position == 0 {
		page.Position = 1 + j.shownPages()
	}
}

// page returns the state of a page, a new one if necessary; nil past maxPages.
func (j *Journey) page(id string) *PageState {
	if page := j.find(id); page != nil {
		return page
	}
	if len(j.Pages) >= maxPages {
		j.Partial = true
		return nil
	}
	page := &PageState{ID: id}
	j.Pages = append(j.Pages, page)
	return page
}

func (j *Journey) shownPages() int {
	n := 0
	for _, page := range j.Pages {
		if page.Position > 0 {
			n++
		}
	}
	return n
}

func (j *Journey) find(id string) *PageState {
	for _, page := range j.Pages {
		if page.ID == id {
			return page
		}
	}
	return nil
}

func pageID(page *Page) string {
	if page == nil {
		return ""
	}
	return page.ID
}
