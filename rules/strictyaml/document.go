package strictyaml

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Document is a YAML file that has been decoded: the position of each value, and
// the problems found so far. Values are addressed by path, such as
// "targets.crm.secret[0]"; the empty path is the whole file.
type Document struct {
	file     string
	keys     map[string]position
	values   map[string]position
	problems problems
	noted    map[place]bool
}

// place is what a problem is about: a path at a position. Through aliases, one
// path can be wrong at several positions.
type place struct {
	path string
	position
}

func newDocument(file string) *Document {
	return &Document{file: file, keys: map[string]position{}, values: map[string]position{}, noted: map[place]bool{}}
}

// KeyPath returns the path of key in the mapping at path. A key that is not a
// plain name may be anything, a URL with credentials too, so it becomes "?".
func KeyPath(path, key string) string {
	if !IsPlainName(key) {
		key = "?"
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

// ItemPath returns the path of the i-th item of the list at path.
func ItemPath(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }

// Has reports whether the file has a value at path, right or wrong.
func (d *Document) Has(path string) bool {
	_, ok := d.values[path]
	return ok
}

// Usable reports whether the file has a value at path and no problem was noted for it.
func (d *Document) Usable(path string) bool {
	return d.Has(path) && !d.noted[place{path, d.find(path)}]
}

// CleanBelow reports whether no problem was noted for any value in the mapping at path.
func (d *Document) CleanBelow(path string) bool {
	return !slices.ContainsFunc(d.problems, func(p problem) bool { return strings.HasPrefix(p.path, path+".") })
}

// Key is a key of a file, with its position from 1.
type Key struct {
	Path         string
	Line, Column int
}

// Keys returns the keys of the file that were decoded, in its order, and those of
// aliased values once for each path.
func (d *Document) Keys() []Key {
	var keys []Key
	for path, at := range d.keys {
		keys = append(keys, Key{Path: path, Line: at.line, Column: at.column})
	}
	slices.SortFunc(keys, func(a, b Key) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Path, b.Path))
	})
	return keys
}

// Line returns the line of the value at path, from 1. Where the file has no such
// value, it is the line of the nearest key above it.
func (d *Document) Line(path string) int { return d.find(path).line }

// Wrong notes a problem with the value at path. Where the file has no such value,
// the problem is placed at the nearest key above it. A second problem with one
// path is dropped: it is most often a consequence of the first.
func (d *Document) Wrong(path, format string, args ...any) {
	d.wrongAt(d.find(path), path, format, args...)
}

// WrongKey is Wrong for a problem with the key at path instead of its value.
func (d *Document) WrongKey(path, format string, args ...any) {
	d.wrongAt(d.keys[path], path, format, args...)
}

// Err returns all problems in the order of the file, one per line, or nil when
// there are none.
func (d *Document) Err() error {
	if len(d.problems) == 0 {
		return nil
	}
	slices.SortStableFunc(d.problems, func(a, b problem) int {
		return cmp.Or(cmp.Compare(a.line, b.line), cmp.Compare(a.column, b.column), cmp.Compare(a.text, b.text), cmp.Compare(a.key(), b.key()))
	})
	// Through aliases, one mistake is found on several paths.
	return slices.CompactFunc(d.problems, func(a, b problem) bool {
		return a.position == b.position && a.text == b.text && a.key() == b.key()
	})
}

func (d *Document) wrongAt(at position, path, format string, args ...any) {
	about := place{path, at}
	if d.noted[about] {
		return
	}
	d.noted[about] = true
	d.problems = append(d.problems, problem{file: d.file, position: at, path: path, text: fmt.Sprintf(format, args...)})
}

// find returns the position of the value at path, or of the nearest key above it.
func (d *Document) find(path string) position {
	if at, ok := d.values[path]; ok {
		return at
	}
	for path != "" {
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
		if at, ok := d.keys[path]; ok {
			return at
		}
	}
	return position{1, 1}
}
