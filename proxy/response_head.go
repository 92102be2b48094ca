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
	if line, _ := cutLine(raw); !isStatusLine(raw) || isSplit(line) {
		return errGarbled
	}
	*h = responseHead{status: parseStatus(raw), length: -2, isOld: raw[len("HTTP/1.")] == '0'}
	name := contentLengthField // so that the first line can't be folded
	for lines := (appFields{fields{afterLine(raw)}}); ; {
		f, err := lines.next()
		if err != nil {
			return err
		}
		if f.line == nil {
			break
		}
		if f.folded && name != otherField {
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
	if h.transferCodings > 1 {
		return errGarbled
	}
	if h.transferCodings == 1 {
		h.length = -1
	}
	// Chunks in HTTP/1.0 may be those of an older response (RFC 9112 section 6.1).
	h.closes = h.options.close || h.options.tooMany || h.isOld && (!h.options.keepAlive || h.transferCodings > 0)
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
		length, err := fasthttp.ParseUint(value)
		isSame := h.lengths == 0 || length == h.length // RFC 9112 section 6.3
		h.lengths++
		h.length = length
		return err == nil && isSame
	case transferEncodingField:
		h.transferCodings++
		return isNamed(value, "chunked")
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

// write writes the status line and the fields that concern the participant.
// Without chunks, Transfer-Encoding is dropped.
func (h *responseHead) write(w *bufio.Writer, raw []byte, chunks bool) {
	lengths := 0
	writeFields(w, writeStatus(w, raw), func(name fieldName, text []byte) bool {
		if name == contentLengthField {
			lengths++
		}
		return h.passes(name, text, chunks) && (name != contentLengthField || lengths == 1)
	})
}

// writeSwitch writes a head of status 101 whole: it agrees on the protocol.
func (h *responseHead) writeSwitch(w *bufio.Writer, raw []byte) {
	writeFields(w, writeStatus(w, raw), func(fieldName, []byte) bool { return true })
	w.WriteString("\r\n")
}

// writeStatus writes the status line and returns what follows it.
func writeStatus(w *bufio.Writer, raw []byte) (rest []byte) {
	line, rest := cutLine(raw)
	w.WriteString("HTTP/1.1")
	w.Write(line[len("HTTP/1.x"):])
	w.WriteString("\r\n")
	return rest
}

func (h *responseHead) passes(name fieldName, text []byte, chunks bool) bool {
	switch name {
	case connectionField, keepAliveField, proxyConnectionField:
		return false
	case transferEncodingField:
		return chunks
	case contentLengthField:
		return h.length != -1 // chunks go first (RFC 9112 section 6.3)
	case upgradeField:
		return true // 426 lists in it what to upgrade to
	}
	return !h.options.lists(text)
}

// isStatusLine reports whether raw begins with HTTP/1.x and a status (RFC 9112
// section 4), or is too short not to.
func isStatusLine(raw []byte) bool {
	line := [...]byte{'H', 'T', 'T', 'P', '/', '1', '.', '1', ' ', '2', '0', '0', ' '}
	copy(line[:], raw)
	return string(line[:7]) == "HTTP/1." && isDigit(line[7]) && line[8] == ' ' &&
		'1' <= line[9] && line[9] <= '9' && isDigit(line[10]) && isDigit(line[11]) && bytes.IndexByte([]byte(" \r\n"), line[12]) >= 0
}

// parseStatus returns the status of a status line.
func parseStatus(line []byte) int {
	digits := line[len("HTTP/1.x "):]
	return int(digits[0]-'0')*100 + int(digits[1]-'0')*10 + int(digits[2]-'0')
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// afterLine returns what follows the first line.
func afterLine(raw []byte) []byte {
	return raw[bytes.IndexByte(raw, '\n')+1:]
}
