package proxy

import (
	"bufio"
	"bytes"

	"github.com/valyala/fasthttp"
)

const switchingProtocols = fasthttp.StatusSwitchingProtocols

// framing is how the end of an answer's body is told (RFC 9112 section 6.3).
type framing int

const (
	noBody framing = iota
	sized
	chunked
	untilClose
)

// answerHead is the head of the app's answer.
type answerHead struct {
	header  fasthttp.ResponseHeader
	status  int
	length  int // -1 when chunked, -2 when the answer ends with the connection
	codings int // Content-Encoding fields
	options connectionOptions
	old     bool // HTTP/1.0
	closes  bool // the app closes the connection after it
}

// parse reads a head that lies whole in r's buffer, as raw, and takes it from
// there. Raw stays valid until the next read.
func (a *answerHead) parse(r *bufio.Reader, raw []byte) error {
	a.header.DisableNormalizing()
	a.header.SetNoDefaultContentType(true)
	before := r.Buffered()
	if !isStatusLine(raw) || a.header.Read(r) != nil || before-r.Buffered() != len(raw) {
		return errGarbled // and not the error: it quotes the answer
	}
	a.status, a.length = a.header.StatusCode(), a.header.ContentLength()
	a.old = string(a.header.Protocol()) != "HTTP/1.1"
	a.codings, a.options = 0, connectionOptions{}
	for lines := (fields{afterLine(raw)}); ; {
		f, ok := lines.next()
		if !ok {
			break
		}
		switch nameOf(f.name) {
		case connectionField:
			a.options.add(f.value)
		case contentEncodingField:
			a.codings++
		}
	}
	a.closes = a.options.close || a.options.tooMany || a.old && !a.options.keepAlive
	return nil
}

// framing tells how the body of the answer ends.
func (a *answerHead) framing(toHead bool) framing {
	switch {
	case toHead, a.status < 200, a.status == fasthttp.StatusNoContent, a.status == fasthttp.StatusNotModified:
		return noBody
	case a.length >= 0:
		return sized
	case a.length == -1:
		return chunked
	}
	a.closes = true
	return untilClose
}

// write writes the status line and the fields that concern the participant,
// as they came. Without chunks, there is no Transfer-Encoding to tell of.
func (a *answerHead) write(w *bufio.Writer, raw []byte, chunks bool) {
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
			passes = a.passes(f.name, chunks && !a.old)
		}
		if passes {
			w.Write(f.line)
			w.WriteString("\r\n")
		}
	}
}

func (a *answerHead) passes(name []byte, chunks bool) bool {
	switch nameOf(name) {
	case connectionField, keepAliveField, proxyConnectionField:
		return false
	case transferEncodingField:
		return chunks
	case contentLengthField:
		return a.length != -1 // chunks go first (RFC 9112 section 6.3)
	case upgradeField:
		return true // 426 tells by it what to upgrade to
	}
	return !a.options.lists(name)
}

func (a *answerHead) reset() {
	a.header.Reset()
	a.status, a.closes = 0, false
}

// isStatusLine tells whether raw begins with HTTP/1.x and a status
// (RFC 9112 section 4); fasthttp is laxer.
func isStatusLine(raw []byte) bool {
	const shape = "HTTP/1.x 200"
	return len(raw) > len(shape) && string(raw[:7]) == shape[:7] && raw[8] == ' ' &&
		'1' <= raw[9] && raw[9] <= '9' && (raw[12] == ' ' || raw[12] == '\r')
}

// afterLine returns what follows the first line.
func afterLine(raw []byte) []byte {
	return raw[bytes.IndexByte(raw, '\n')+1:]
}
