package rules

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// maxProblemsShown bounds the length of an error; a file can hold any number of them.
const maxProblemsShown = 100

// problem is one thing that is wrong in a YAML file, and where.
type problem struct {
	file string
	place
	// path of the value within the file ("rules[0].to[1]"), empty for the file itself.
	path string
	// text says what is wrong and what is allowed.
	text string
}

// place is a line and a column, both from 1; 0 is unknown.
type place struct{ line, column int }

// problems are all that is wrong in one file, in the order of the file. As an
// error they print one a line, file:line:column: path: what is wrong.
type problems []problem

// document is a YAML file while it is being read: where each value stands,
// and what is wrong so far.
type document struct {
	file     string
	keys     map[string]place
	values   map[string]place
	problems problems
	noted    map[spot]bool
}

// spot is what a problem is about: a path, as it stands at a place.
type spot struct {
	path string
	place
}

func (p problem) String() string {
	var b strings.Builder
	b.WriteString(p.file)
	if p.line > 0 {
		fmt.Fprintf(&b, ":%d", p.line)
	}
	if p.column > 0 {
		fmt.Fprintf(&b, ":%d", p.column)
	}
	if p.path != "" {
		b.WriteString(": " + p.path)
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

func newDocument(file string) *document {
	return &document{file: file, keys: map[string]place{}, values: map[string]place{}, noted: map[spot]bool{}}
}

// has tells whether the file says anything at path, right or wrong.
func (d *document) has(path string) bool {
	_, ok := d.values[path]
	return ok
}

// wrong notes what is wrong with the value at path. A path that the file does
// not have is placed at its nearest parent. A second problem of one path is left
// out: it is mostly the first one's consequence.
func (d *document) wrong(path, format string, args ...any) {
	d.wrongAt(d.find(path), path, format, args...)
}

func (d *document) wrongAt(at place, path, format string, args ...any) {
	about := spot{path, at}
	if d.noted[about] {
		return
	}
	d.noted[about] = true
	d.problems = append(d.problems, problem{file: d.file, place: at, path: path, text: fmt.Sprintf(format, args...)})
}

// err returns the problems in the order of the file, nil when there are none.
func (d *document) err() error {
	if len(d.problems) == 0 {
		return nil
	}
	slices.SortStableFunc(d.problems, func(a, b problem) int {
		return cmp.Or(cmp.Compare(a.line, b.line), cmp.Compare(a.column, b.column), cmp.Compare(a.text, b.text), cmp.Compare(a.key(), b.key()))
	})
	// Through aliases, one mistake is found on several paths.
	return slices.CompactFunc(d.problems, func(a, b problem) bool {
		return a.place == b.place && a.text == b.text && a.key() == b.key()
	})
}

// key is the last key of the path.
func (p problem) key() string { return p.path[strings.LastIndexByte(p.path, '.')+1:] }

// find returns the place of the value at path, or of the key that would hold it.
func (d *document) find(path string) place {
	if at, ok := d.values[path]; ok {
		return at
	}
	for path != "" {
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
		if at, ok := d.keys[path]; ok {
			return at
		}
	}
	return place{1, 1}
}

// under returns the path of key within path. A key that is not a plain name may
// be anything, an URL with credentials too, so it is not shown.
func under(path, key string) string {
	if !plainName(key) {
		key = "?"
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

// item returns the path of the i-th item of the list at path.
func item(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }
