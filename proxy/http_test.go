package proxy

import (
	"errors"
	"io"
	"strconv"
	"strings"
	"syscall"
)

// end ends the connection.
func (w *wire) end(how how) {
	switch how {
	case half:
		w.CloseWrite()
	case reset:
		w.SetLinger(0)
		w.Close()
	default:
		w.Close()
	}
}

// readHead reads up to the empty line that ends a head, and how the connection
// ended, if it did.
func (w *wire) readHead() (head, end string) {
	for {
		line, err := w.in.ReadString('\n')
		head += line
		if err != nil {
			return head, endOf(err)
		}
		if line == "\r\n" {
			return head, ""
		}
	}
}

// readBody reads a body into r, until its end or until goOn says no.
func (w *wire) readBody(r *record, is bodyFraming, goOn func(arrived int) bool) {
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
				more = goOn(len(r.Body)) || is.framing == chunked
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
			r.Trailer, r.End = w.readHead()
			return
		}
		piece(int(size))
		if r.End == "" {
			r.Chunks += w.take(len("\r\n"))
			if !goOn(len(r.Body)) {
				return
			}
		}
	}
}

// bodyFraming is how a body ends, as its head says.
type bodyFraming struct {
	framing framing
	length  int
}

// framingOf reads a head as HTTP wants it (RFC 9112 section 6.3).
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

// says tells whether a Connection field has the option.
func says(head, option string) bool {
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

// areKept tells whether a connection outlives an exchange (RFC 9112 section 9.3).
func areKept(request, answer string) bool {
	line, _, _ := strings.Cut(request, "\r\n")
	switch {
	case says(request, "close"), says(answer, "close"):
		return false
	case strings.HasSuffix(line, "HTTP/1.0"):
		return says(request, "keep-alive") && says(answer, "keep-alive")
	}
	return strings.HasPrefix(answer, "HTTP/1.1") || says(answer, "keep-alive")
}

// statusOf returns the status in a status line; 0 if it is none.
func statusOf(line string) int {
	if !strings.HasPrefix(line, "HTTP/1.") || len(line) < len("HTTP/1.1 200") {
		return 0
	}
	status, _ := strconv.Atoi(line[9:12])
	return status
}

// endOf names the end of a connection by the error that told of it.
func endOf(err error) string {
	switch {
	case err == nil, errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "end"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "reset"
	}
	return err.Error()
}
