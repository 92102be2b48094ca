package rules

import (
	"bytes"
	"encoding/json"
	"time"
)

// pageState is the state of one page in a journey, a part of its own.
type pageState struct {
	// Definition names the definition in the store. It is empty for a page that was
	// loaded, but never shown in a response.
	Definition string
	// Position is the page's place in the participant's own order, from 1.
	Position int
	// Loaded is the last time the page was loaded.
	Loaded time.Time
	// Left reports whether a navigation from the page came after its last load.
	Left bool
	// tally is what was counted of the page.
	tally tally

	id     string
	stored []byte
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
	page := j.pageOrNew(o.Page.ID)
	if page == nil {
		return
	}
	if definition, err := json.Marshal(o.Page); err == nil {
		var isKept bool
		if page.Definition, isKept = j.store.PutPage(definition); !isKept {
			j.keepDefinition(page.Definition, definition)
		}
	}
	if page.Position == 0 {
		j.ShownPages++
		page.Position = j.ShownPages
	}
	j.putPage(page)
}

// keepDefinition keeps a definition in the journey itself where the store has no room
// for more that participants share: without it, nobody knows which answers are to it.
func (j *Journey) keepDefinition(name string, definition []byte) {
	if j.store.Part(j.key, partDefinition+name) != nil {
		return
	}
	size := len(definition) + recordOverhead
	if !j.hasRoomFor(size) {
		j.refuse(RefusedRecord)
		return
	}
	j.Bytes += size
	j.store.PutPart(j.key, partDefinition+name, definition)
}

// page returns the state of a page, nil if there is none. putPage stores what is
// changed of it.
func (j *Journey) page(id string) *pageState {
	stored := j.store.Part(j.key, partPage+id)
	if stored == nil {
		return nil
	}
	d := recordDecoder{rest: stored}
	page := &pageState{id: id, stored: stored, Definition: d.text(), Position: d.int(), Loaded: d.time()}
	left := d.int()
	page.Left, page.tally = left&1 == 1, tally(left>>1)
	if d.end() != nil {
		j.Partial = true
	}
	return page
}

// pageOrNew returns the state of a page, a new one if necessary; nil past a bound.
func (j *Journey) pageOrNew(id string) *pageState {
	if page := j.page(id); page != nil {
		return page
	}
	size := len(id) + recordOverhead
	if j.KnownPages >= maxPages || !j.hasRoomFor(size) {
		j.refuse(RefusedRecord)
		return nil
	}
	j.KnownPages++
	j.Bytes += size
	return &pageState{id: id}
}

func (j *Journey) putPage(page *pageState) {
	encoded := make(recordEncoder, 0, 64)
	encoded.text(page.Definition)
	encoded.int(page.Position)
	encoded.time(page.Loaded)
	left := int(page.tally) << 1 // which earlier releases left out
	if page.Left {
		left |= 1
	}
	encoded.int(left)
	if !bytes.Equal(encoded, page.stored) {
		j.store.PutPart(j.key, partPage+page.id, encoded)
	}
}

// definition returns the definition of a page, nil if it never had one. A journey
// whose definition is lost is partial.
func (j *Journey) definition(page *pageState) *Page {
	if page.Definition == "" {
		return nil
	}
	definition := j.pages.page(j.store, page.Definition)
	if definition == nil {
		definition = decodePage(j.store.Part(j.key, partDefinition+page.Definition))
	}
	j.Partial = j.Partial || definition == nil
	return definition
}

func pageID(page *Page) string {
	if page == nil {
		return ""
	}
	return page.ID
}
