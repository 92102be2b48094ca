package proxy

// The parser of HTTP that conversations are read with. It is independent of the
// proxy's own, so that the two check each other.

import (
	"strconv"
	"strings"
)

// readBody reads a body into r, up to its end or until onPiece returns false.
func (w *testConn) readBody(r *received, is bodyFraming, onPiece func(arrived int) bool) {
	buf := make([]byte, 32<<10)
	piece := func(n int) (more bool) {
		for more = true; n > 0 && r.End == "" && more; {
			got, err := w.in.Read(buf[:min(n, len(buf))])
			n -= got
			r.Body += string(buf[:got])
			if err != nil {
				r.End = endOf(err)
				return false
			}
			if is.framing != chunked || n > 0 {
				more = onPiece(len(r.Body)) || is.framing == chunked
			}
		}
		return more
	}
	switch is.framing {
	case untilClose:
		piece(1 << 30)
	case sized:
		piece(is.length)
	}
	for is.framing == chunked && r.End == "" {
		line, err := w.in.ReadString('\n')
		r.Chunks += line
		if err != nil {
			r.End = endOf(err)
			return
		}
		size, _ := strconv.ParseInt(strings.TrimSpace(strings.SplitN(line, ";", 2)[0]), 16, 32)
		if size == 0 {
			r.Trailer, r.End = w.readHeadOrEnd()
			return
		}
		piece(int(size))
		if r.End == "" {
			r.Chunks += w.readN(len("\r\n"))
			if !onPiece(len(r.Body)) {
				return
			}
		}
	}
}

// bodyFraming is how the end of a body is determined.
type bodyFraming struct {
	framing framing
	length  int
}

// framingOf returns the framing of the body that follows a head (RFC 9112 section 6.3).
func framingOf(head string, isRequest, toHead bool) bodyFraming {
	status := statusOf(head)
	length, hasLength := fieldOf(head, "Content-Length")
	coding, _ := fieldOf(head, "Transfer-Encoding")
	switch {
	case toHead || !isRequest && (status < 200 || status == 204 || status == 304):
		return bodyFraming{}
	case strings.EqualFold(coding, "chunked"):
		return bodyFraming{framing: chunked}
	case hasLength:
		n, _ := strconv.Atoi(length)
		return bodyFraming{sized, n}
	case isRequest:
		return bodyFraming{}
	}
	return bodyFraming{framing: untilClose}
}

// fieldOf returns the first value of a field.
func fieldOf(head, name string) (value string, found bool) {
	for _, line := range strings.Split(head, "\r\n")[1:] {
		if n, v, _ := strings.Cut(line, ":"); strings.EqualFold(n, name) {
			return strings.Trim(v, " \t"), true
		}
	}
	return "", false
}

// hasConnectionOption reports whether a Connection field has the option.
func hasConnectionOption(head, option string) bool {
	for _, line := range strings.Split(head, "\r\n")[1:] {
		if n, v, _ := strings.Cut(line, ":"); strings.EqualFold(n, "Connection") {
			for token := range strings.SplitSeq(v, ",") {
				if strings.EqualFold(strings.Trim(token, " \t"), option) {
					return true
				}
			}
		}
	}
	return false
}

// isPersistent reports whether a connection outlives an exchange (RFC 9112 section
// 9.3).
func isPersistent(request, response string) bool {
	line, _, _ := strings.Cut(request, "\r\n")
	switch {
	case hasConnectionOption(request, "close"), hasConnectionOption(response, "close"):
		return false
	case strings.HasSuffix(line, "HTTP/1.0"):
		return hasConnectionOption(request, "keep-alive") && hasConnectionOption(response, "keep-alive")
	}
	return strings.HasPrefix(response, "HTTP/1.1") || hasConnectionOption(response, "keep-alive")
}

// statusOf returns the status in a status line; 0 if there is none.
func statusOf(line string) int {
	if !strings.HasPrefix(line, "HTTP/1.") || len(line) < len("HTTP/1.1 200") {
		return 0
	}
	status, _ := strconv.Atoi(line[9:12])
	return status
}
