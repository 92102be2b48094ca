package rules

import "encoding/json"

// maxCachedBytes bounds the definitions in a PageCache by the size that they are
// stored in; past it, the cache begins anew.
const maxCachedBytes = 4 << 20

// PageCache keeps the definitions of pages that a Fold has decoded: an event needs
// those of all pages of its journey, and all participants have the same. It is not
// safe for concurrent use.
type PageCache struct {
	pages map[string]*Page
	bytes int
}

// page returns the definition of that name in a store, which must not be changed;
// nil if it is lost. A nil cache keeps nothing.
func (c *PageCache) page(store Journeys, name string) *Page {
	if c != nil && c.pages[name] != nil {
		return c.pages[name]
	}
	stored := store.Page(name)
	page := decodePage(stored)
	if page == nil || c == nil {
		return page
	}
	if c.bytes += len(stored); c.pages == nil || c.bytes > maxCachedBytes {
		c.pages, c.bytes = map[string]*Page{}, len(stored)
	}
	c.pages[name] = page
	return page
}

// decodePage returns a stored definition, nil if there is none, or it is damaged.
func decodePage(stored []byte) *Page {
	page := &Page{}
	if json.Unmarshal(stored, page) != nil {
		return nil
	}
	return page
}
