package proxy

import (
	"bufio"
	"bytes"
)

// appFields iterates over the fields of a head or trailer section of the app.
type appFields struct{ lines fields }

// next returns the next line, whose line is nil at the end, or errGarbled for one
// that others could read differently (RFC 9112 section 5). Its name is without the
// whitespace before the colon.
func (r *appFields) next() (field, error) {
	f, ok := r.lines.next()
	if !ok {
		return field{}, nil
	}
	for len(f.name) > 0 && isOWS(f.name[len(f.name)-1]) {
		f.name = f.name[:len(f.name)-1]
	}
	if isSplit(f.line) || !f.folded && !isToken(f.name) {
		return field{}, errGarbled
	}
	return f, nil
}

// isSplit reports whether some parsers take one line for two (RFC 9112 section 2.2).
func isSplit(line []byte) bool {
	return bytes.IndexByte(line, '\r') >= 0 || bytes.IndexByte(line, 0) >= 0
}

// writeFields writes those of the fields that pass, as they came but for what a
// proxy has to mend: whitespace before a colon goes (RFC 9112 section 5.1), and a
// line that is folded becomes one (section 5.2). The fields must be well-formed.
func writeFields(w *bufio.Writer, raw []byte, passes func(name fieldName, text []byte) bool) {
	isWritten := false // the field that may be continued
	for lines := (appFields{fields{raw}}); ; {
		f, err := lines.next()
		if isEnd := err != nil || f.line == nil; isEnd {
			break
		}
		if f.folded {
			if isWritten {
				w.WriteByte(' ')
				w.Write(trimOWS(f.line))
			}
			continue
		}
		if isWritten {
			w.WriteString("\r\n")
		}
		if isWritten = passes(nameOf(f.name), f.name); isWritten {
			w.Write(f.name)
			w.Write(f.line[bytes.IndexByte(f.line, ':'):])
		}
	}
	if isWritten {
		w.WriteString("\r\n")
	}
}

// checkFields returns errGarbled unless all fields are well-formed.
func checkFields(raw []byte) error {
	isFirst := true
	for lines := (appFields{fields{raw}}); ; isFirst = false {
		f, err := lines.next()
		switch {
		case err != nil:
			return err
		case f.line == nil:
			return nil
		case f.folded && isFirst:
			return errGarbled
		}
	}
}
