package proxy

import (
	"bytes"
	"errors"
)

// errBareLF means that a request's head ends with lines of bare LF.
var errBareLF = errors.New("the lines of the request end with LF instead of CRLF")

// headScan is what is known of the head that fasthttp reads. fasthttp does not see
// the end of a head whose lines end with bare LF, and would wait for it until the
// participant gives up. RFC 9112 section 2.2 allows to refuse that.
type headScan int

const (
	headBegins headScan = iota
	headEnds            // or has ended: what comes may belong to the body
)

// String returns the name of the state.
func (s headScan) String() string { return [...]string{"begins", "ends"}[s] }

// add looks at what was read. It returns errBareLF if the head is whole by bare LF.
func (s *headScan) add(read []byte) error {
	if *s == headEnds || len(read) == 0 {
		return nil
	}
	startsWithLineEnd := read[0] == '\r' || read[0] == '\n' // maybe the end of an empty line
	if startsWithLineEnd || bytes.Contains(read, []byte("\r\n\r\n")) {
		*s = headEnds
		return nil
	}
	if bytes.Contains(read, []byte("\n\n")) || bytes.Contains(read, []byte("\n\r\n")) {
		return errBareLF
	}
	return nil
}
