package proxy

import (
	"bufio"
	"bytes"

	"github.com/valyala/fasthttp"
)

const switchingProtocols = fasthttp.StatusSwitchingProtocols

// framing is how a body is delimited (RFC 9112 section 6.3).
type framing int

const (
	noBody framing = iota
	sized
	chunked
	untilClose
)

// responseHead is the head of the app's response. Its slices belong to the reader
// that it was read from, and are valid until the next read.
type responseHead struct {
	status  int
	length  int // -1 when chunked, -2 when the end of the connection ends the body
	options connectionOptions
	isOld   bool // HTTP/1.0
	closes  bool // the app closes the connection afterwards

	// The numbers of Content-Length, Transfer-Encoding and Content-Encoding fields.
	lengths, transferCodings, contentCodings int

	contentType, contentEncoding []byte
}

// parse parses a whole head. It refuses what two parties could frame differently
// (RFC 9112 section 6.3), and lines that some take for two.
func (h *responseHead) parse(raw []byte) error {
	if !isStatusLine(raw) {
		return errGarbled
	}
	*h = responseHead{status: parseStatus(raw), length: -2, isOld: raw[len("HTTP/1.")] != '1'}
	name := contentLengthField // so that the first line can't be folded
	for lines := (fields{afterLine(raw)}); ; {
		f, ok := lines.next()
		if !ok {
			break
		}
		isNameless := !f.folded && len(f.name) == 0
		if isSplit(f.line) || isNameless || f.folded && name != otherField {
			return errGarbled
		}
		if f.folded {
			continue
		}
		name = nameOf(f.name)
		if !h.takeField(name, f.value) {
			return errGarbled
		}
	}
	if h.lengths > 1 || h.transferCodings > 1 && !h.isOld {
		return errGarbled
	}
	if h.transferCodings == 1 && !h.isOld { // HTTP/1.0 has no chunks
		h.length = -1
	}
	h.closes = h.options.close || h.options.tooMany || h.isOld && !h.options.keepAlive
	return nil
}

// takeField keeps what matters of a field, and reports whether it is well-formed.
func (h *responseHead) takeField(name fieldName, value []byte) bool {
	switch name {
	case connectionField:
		h.options.add(value)
	case contentTypeField:
		h.contentType = value
	case contentEncodingField:
		h.contentCodings++
		h.contentEncoding = value
	case contentLengthField:
		h.lengths++
		length, err := fasthttp.ParseUint(value)
		h.length = length
		return err == nil
	case transferEncodingField:
		h.transferCodings++
		return isNamed(value, "chunked") || h.isOld
	}
	return true
}

// framing returns how the body is delimited; toHead is set for a response to HEAD.
func (h *responseHead) framing(toHead bool) framing {
	switch {
	case toHead, h.status < 200, h.status == fasthttp.StatusNoContent, h.status == fasthttp.StatusNotModified:
		return noBody
	case h.length >= 0:
		return sized
	case h.length == -1:
		return chunked
	}
	h.closes = true
	return untilClose
}

// write writes the status line and the fields that concern the participant, as
// they came. Without chunks, Transfer-Encoding is dropped.
func (h *responseHead) write(w *bufio.Writer, raw []byte, chunks bool) {
	lines := fields{afterLine(raw)}
	status := bytes.TrimRight(raw[len("HTTP/1.x"):len(raw)-len(lines.rest)], "\r\n")
	w.WriteString("HTTP/1.1")
	w.Write(status)
	w.WriteString("\r\n")
	passes := true
	for {
		f, ok := lines.next()
		if !ok {
			return
		}
		if !f.folded {
			passes = h.passes(f.name, chunks && !h.isOld)
		}
		if passes {
			w.Write(f.line)
			w.WriteString("\r\n")
		}
	}
}

func (h *responseHead) passes(name []byte, chunks bool) bool {
	switch nameOf(name) {
	case connectionField, keepAliveField, proxyConnectionField:
		return false
	case transferEncodingField:
		return chunks
	case contentLengthField:
		return h.length != -1 // chunks go first (RFC 9112 section 6.3)
	case upgradeField:
		return true // 426 lists in it what to upgrade to
	}
	return !h.options.lists(name)
}

// isStatusLine reports whether raw begins with HTTP/1.x and a status (RFC 9112
// section 4).
func isStatusLine(raw []byte) bool {
	const shape = "HTTP/1.x 200"
	return len(raw) > len(shape) && string(raw[:7]) == shape[:7] && raw[8] == ' ' &&
		'1' <= raw[9] && raw[9] <= '9' && isDigit(raw[10]) && isDigit(raw[11]) && (raw[12] == ' ' || raw[12] == '\r')
}

// parseStatus returns the status of a status line.
func parseStatus(line []byte) int {
	digits := line[len("HTTP/1.x "):]
	return int(digits[0]-'0')*100 + int(digits[1]-'0')*10 + int(digits[2]-'0')
}

// isSplit reports whether some parsers take one line for two.
func isSplit(line []byte) bool {
	return bytes.IndexByte(line, '\r') >= 0 || bytes.IndexByte(line, 0) >= 0
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// afterLine returns what follows the first line.
func afterLine(raw []byte) []byte {
	return raw[bytes.IndexByte(raw, '\n')+1:]
}
