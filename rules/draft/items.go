package draft

import (
	"slices"
	"strings"

	"github.com/tidwall/gjson"
)

// The names under which apps have what is asked, the likeliest first.
var (
	itemIDs    = []string{"id", "ID", "Id", "name", "key", "code", "uuid", "slug", "ref", "question_id", "questionId", "valueName"}
	itemTypes  = []string{"type", "kind", "inputType", "questionType", "component"}
	itemLabels = []string{"title", "label", "question", "text", "prompt", "name"}
)

// items are where the app says what is asked.
type items struct {
	// list is the gjson path of the list, empty if the recording shows none.
	list string
	// isSingle is set where list is that of one item instead.
	isSingle bool
	// isHTML is set where items are controls of HTML pages.
	isHTML bool
	// id, kind and label are names in an item; kind and label may be empty.
	id, kind, label string
	// known are the ids, and at those of each exchange that has the list.
	known map[string]bool
	at    map[*exchange][]string
}

// isPaged reports whether different responses have different items.
func (it *items) isPaged() bool {
	var first []string
	for _, ids := range it.at {
		if first == nil {
			first = ids
		}
		if !slices.Equal(first, ids) {
			return true
		}
	}
	return false
}

// findItems returns the lists of items whose ids come again most often in requests.
func findItems(exchanges []*exchange) *items {
	if it := findControls(exchanges); it != nil {
		return it
	}
	best, bestScore := &items{}, 0
	for _, candidate := range candidates(exchanges) {
		score := 0
		for _, e := range exchanges {
			if e.isUnsafe() {
				score += candidate.mentions(e)
			}
		}
		if score > bestScore {
			best, bestScore = candidate, score
		}
	}
	if best.list != "" && bestScore > 0 {
		return best
	}
	if single := findSingle(exchanges); single != nil {
		return single
	}
	return &items{}
}

// findControls returns the controls of HTML forms, if forms are posted that have them.
func findControls(exchanges []*exchange) *items {
	it := &items{list: "fields", isHTML: true, id: "name", kind: "type", known: map[string]bool{}, at: map[*exchange][]string{}}
	for _, e := range exchanges {
		for _, name := range e.response.Get("fields.#.name").Array() {
			if e.isHTML() {
				it.add(e, name.String())
			}
		}
	}
	if slices.ContainsFunc(exchanges, func(e *exchange) bool { return e.isForm() && it.mentions(e) > 0 }) {
		return it
	}
	return nil
}

func (it *items) add(e *exchange, id string) {
	if id != "" {
		it.known[id] = true
		it.at[e] = append(it.at[e], id)
	}
}

// mentions counts the known ids that a request has as a key, a value, or in its path.
func (it *items) mentions(e *exchange) (n int) {
	for _, word := range e.words {
		if it.known[word] {
			n++
		}
	}
	walk("", e.request, maxDepth, func(path string, value gjson.Result) {
		if it.known[lastName(path)] || value.Type == gjson.String && it.known[value.Str] {
			n++
		}
	})
	return n
}

// candidates returns each list of objects in responses with each name that may be
// the id of what is asked.
func candidates(exchanges []*exchange) (list []*items) {
	byPath := map[string]*items{}
	for _, e := range exchanges {
		walk("", e.response, maxDepth, func(path string, value gjson.Result) {
			first := value.Get("0")
			if !value.IsArray() || !first.IsObject() || !hasAny(first, itemTypes) && !hasAny(first, itemLabels) {
				return
			}
			for _, id := range itemIDs {
				if !first.Get(id).Exists() {
					continue
				}
				it := byPath[path+" "+id]
				if it == nil {
					it = &items{list: path, id: id, kind: firstOf(first, itemTypes, ""), label: firstOf(first, itemLabels, id), known: map[string]bool{}, at: map[*exchange][]string{}}
					byPath[path+" "+id], list = it, append(list, it)
				}
				for _, item := range value.Array() {
					it.add(e, item.Get(id).String())
				}
			}
		})
	}
	return list
}

// findSingle returns objects with id and type of which each response has another, as
// a chat has.
func findSingle(exchanges []*exchange) *items {
	byPath := map[string]*items{}
	var paths []string
	for _, e := range exchanges {
		walk("", e.response, maxDepth, func(path string, value gjson.Result) {
			if !value.IsObject() || path == "" || strings.Contains(path, "#") || !value.Get("id").Exists() || !hasAny(value, itemTypes) {
				return
			}
			if byPath[path] == nil {
				paths = append(paths, path)
				byPath[path] = &items{list: path, isSingle: true, id: "id", kind: firstOf(value, itemTypes, ""), label: firstOf(value, itemLabels, "id"), known: map[string]bool{}, at: map[*exchange][]string{}}
			}
			byPath[path].add(e, value.Get("id").String())
		})
	}
	for _, path := range paths {
		if byPath[path].isPaged() {
			return byPath[path]
		}
	}
	return nil
}

func hasAny(object gjson.Result, names []string) bool { return firstOf(object, names, "") != "" }

// firstOf returns the first of the names that an object has a text or a number under,
// other than one; empty if there is none.
func firstOf(object gjson.Result, names []string, other string) string {
	for _, name := range names {
		switch value := object.Get(name); {
		case name == other:
		case value.Type == gjson.String, value.Type == gjson.Number:
			return name
		case value.Get("0").Type == gjson.String:
			return name + ".0"
		}
	}
	return ""
}
