package strictyaml

import (
	"fmt"
	"strings"
)

// maxProblemsShown bounds the length of an error; a file can have any number of problems.
const maxProblemsShown = 100

// problem is one thing that is wrong in a YAML file.
type problem struct {
	file string
	position
	// path of the value within the file ("rules[0].to[1]"), empty for the file itself.
	path string
	// text says what is wrong and what is allowed.
	text string
}

// position is a line and a column, both from 1; 0 is unknown.
type position struct{ line, column int }

// problems is everything that is wrong in one file, in the order of the file. As
// an error it prints one problem per line, file:line:column: path: what is wrong.
type problems []problem

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

// key is the last key of the path.
func (p problem) key() string { return p.path[strings.LastIndexByte(p.path, '.')+1:] }
