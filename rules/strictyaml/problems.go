package strictyaml

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// maxProblemsShown bounds the length of an error; a file can hold any number of them.
const maxProblemsShown = 100

// problem is one thing that is wrong in a YAML file, and where.
type Problem struct {
	file string
	place
	// path of the value within the file ("rules[0].to[1]"), empty for the file itself.
	Path string
	// text says what is wrong and what is allowed.
	text string
}

// place is a line and a column, both from 1; 0 is unknown.
type place struct{ Line, column int }

// problems are all that is wrong in one file, in the order of the file. As an
// error they print one a line, file:line:column: path: what is wrong.
type problems []Problem

// document is a YAML file while it is being read: where each value stands,
// and what is wrong so far.
type Document struct {
	file     string
	Keys     map[string]place
	values   map[string]place
	Problems problems
	noted    map[spot]bool
}

// spot is what a problem is about: a path, as it stands at a place.
type spot struct {
	path string
	place
}

func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.file)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d", p.Line)
	}
	if p.column > 0 {
		fmt.Fprintf(&b, ":%d", p.column)
	}
	if p.Path != "" {
		b.WriteString(": " + p.Path)
	}
	return b.String() + ": " + p.text
}

func (p problems) Error() string {
	var lines []string
	for i, one := range p {
		if i == maxProblemsShown {
			lines = append(lines, fmt.Sprintf("%s: and %d more problems", one.file, len(p)-i))
			break
		}
		lines = append(lines, one.String())
	}
	return strings.Join(lines, "\n")
}

func newDocument(file string) *Document {
	return &Document{file: file, Keys: map[string]place{}, values: map[string]place{}, noted: map[spot]bool{}}
}

// has tells whether the file says anything at path, right or wrong.
func (d *Document) Has(path string) bool {
	_, ok := d.values[path]
	return ok
}

// wrong notes what is wrong with the value at path. A path that the file does
// not have is placed at its nearest parent. A second problem of one path is left
// out: it is mostly the first one's consequence.
func (d *Document) Wrong(path, format string, args ...any) {
	d.WrongAt(d.Find(path), path, format, args...)
}

func (d *Document) WrongAt(at place, path, format string, args ...any) {
	about := spot{path, at}
	if d.noted[about] {
		return
	}
	d.noted[about] = true
	d.Problems = append(d.Problems, Problem{file: d.file, place: at, Path: path, text: fmt.Sprintf(format, args...)})
}

// err returns the problems in the order of the file, nil when there are none.
func (d *Document) Err() error {
	if len(d.Problems) == 0 {
		return nil
	}
	slices.SortStableFunc(d.Problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.column, b.column), cmp.Compare(a.text, b.text), cmp.Compare(a.key(), b.key()))
	})
	// Through aliases, one mistake is found on several paths.
	return slices.CompactFunc(d.Problems, func(a, b Problem) bool {
		return a.place == b.place && a.text == b.text && a.key() == b.key()
	})
}

// Usable reports whether the file has path and nothing was wrong there yet.
func (d *Document) Usable(path string) bool {
	return d.Has(path) && !d.noted[spot{path, d.Find(path)}]
}

// key is the last key of the path.
func (p Problem) key() string { return p.Path[strings.LastIndexByte(p.Path, '.')+1:] }

// find returns the place of the value at path, or of the key that would hold it.
func (d *Document) Find(path string) place {
	if at, ok := d.values[path]; ok {
		return at
	}
	for path != "" {
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
		if at, ok := d.Keys[path]; ok {
			return at
		}
	}
	return place{1, 1}
}

// under returns the path of key within path. A key that is not a plain name may
// be anything, an URL with credentials too, so it is not shown.
func Under(path, key string) string {
	if !PlainName(key) {
		key = "?"
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

// item returns the path of the i-th item of the list at path.
func Item(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }
