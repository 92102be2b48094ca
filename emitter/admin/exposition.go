package admin

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// expose writes samples in the text format of Prometheus: each family in one
// place, after its help and type. Samples of other families come after them, as
// they are.
func expose(w io.Writer, samples []byte) {
	byFamily := map[string][]string{}
	var others []string
	for line := range strings.Lines(string(samples)) {
		if name := familyOf(line); name != "" {
			byFamily[name] = append(byFamily[name], line)
		} else {
			others = append(others, line)
		}
	}
	for _, f := range families {
		if lines := byFamily[f.name]; len(lines) > 0 {
			fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n", f.name, f.help, f.name, f.kind)
			_, _ = io.WriteString(w, strings.Join(lines, "")) // whoever asked may be gone
		}
	}
	_, _ = io.WriteString(w, strings.Join(others, ""))
}

// familyOf is the family of a sample, empty where it is none of ours.
func familyOf(line string) string {
	name, _, _ := strings.Cut(line, " ")
	name, _, _ = strings.Cut(name, "{")
	for _, f := range families {
		part, isOf := strings.CutPrefix(name, f.name)
		if isOf && (part == "" || f.kind == histogram && (part == "_bucket" || part == "_sum" || part == "_count")) {
			return f.name
		}
	}
	return ""
}

// sampler collects samples.
type sampler struct{ bytes.Buffer }

// add writes a sample; labels is empty or `name="value",...`.
func (s *sampler) add(name, labels string, value float64) {
	if labels != "" {
		labels = "{" + labels + "}"
	}
	fmt.Fprintf(s, "%s%s %g\n", name, labels, value)
}
