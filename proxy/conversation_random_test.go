package proxy

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/valyala/fasthttp"
	"pgregory.net/rapid"
)

// Conversations are drawn from these values, and from fields of any name and value.
var (
	methods       = []string{"GET", "GET", "POST", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "M-SEARCH"}
	requestFields = []string{
		"Cookie: a=1;b=2", "cookie:c=3; d=\"4\"", "Accept-Encoding: gzip, br", "X-Dup: 1", "x-dup: 2", "User-Agent:", "Range: bytes=0-1",
		"If-None-Match: W/\"x\"", "Content-Type: multipart/form-data; boundary=b", "Content-Encoding: gzip", "Origin: null",
		"Connection: X-Hop", "Connection: close", "connection: keep-alive, cookie", "X-Hop: 1", "Keep-Alive: timeout=5",
		"Proxy-Connection: keep-alive", "TE: trailers", "TE: gzip", "Upgrade: h2c", "X-Big: " + pattern(20<<10),
	}
	responseFields = []string{
		"Date: yesterday", "Server: Kestrel", "Set-Cookie: a=1; Path=/", "Set-Cookie: b=2", "set-cookie:a=3", "Content-Type: text/a",
		"content-type: text/b", "WWW-Authenticate: Basic", "ETag: \"x\"", "Content-Encoding: gzip", "Content-Encoding: br", "Vary: *",
		"X-Folded: a\r\n b", "Connection: X-Hop", "Connection: close", "connection: keep-alive", "X-Hop: 1", "Keep-Alive: timeout=5",
		"Trailer: X-T", "Content-Range: bytes 0-1/9", "Location: /" + pattern(16<<10), "Upgrade: h2c",
	}
	statuses        = []string{"200 OK", "200 OK", "404 ", "299", "500  Oh  no", "206 Partial Content", "204 No Content", "304 Not Modified", "413 Too Large"}
	interimHeads    = []string{"HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 102 Processing\r\n\r\n", "HTTP/1.1 103 Early Hints\r\nlink: </a>; rel=preload\r\n\r\n"}
	sizes           = []int{0, 1, 2, 100, 5000, 70000, 300000}
	chunkExtensions = []string{"", "", ";a", ";a=\"b\""}
	trailers        = []string{"", "", "X-T: 1\r\n", "x-trailer-two: a b\r\nX-T: 1\r\n"}
	outcomes        = []outcome{completes, completes, completes, clientLeavesInHead, clientLeavesInUpload, clientLeavesWaiting, clientLeavesReading, appRespondsEarly, appDiesBeforeHead, appDiesInHead, appDiesInBody, upgrades}
	anyName         = rapid.StringMatching(`[Xx]-[a-zA-Z0-9!#$%&'*+.^_|~-]{1,12}`)
	anyValue        = rapid.StringMatching(`[ \t]{0,3}([!-~][ -~]{0,30})?[ \t]{0,2}`)
	anyTarget       = rapid.StringMatching(`/[!-"$-~]{0,40}`)
	leadingSlashes  = regexp.MustCompile(` /+`) // of a target
	upgradeHeads    = []string{"Upgrade: websocket", "Connection: keep-alive, Upgrade", "Sec-WebSocket-Key: x"}
)

func oneOf[T any](t *rapid.T, what string, from []T) T { return rapid.SampledFrom(from).Draw(t, what) }

// drawConversation draws up to three steps, of which only the last may break off.
func drawConversation(t *rapid.T) (conversation conversation) {
	n := rapid.IntRange(1, 3).Draw(t, "steps")
	for i := range n {
		outcome := completes
		if i == n-1 {
			outcome = oneOf(t, "outcome", outcomes)
		}
		conversation = append(conversation, drawStep(t, outcome))
	}
	return conversation
}

func drawStep(t *rapid.T, outcome outcome) *step {
	s := &step{outcome: outcome, watched: rapid.Bool().Draw(t, "watched"), closing: oneOf(t, "closing", []closing{closed, reset})}
	if outcome == upgrades {
		drawTunnel(t, s)
		return s
	}
	method := oneOf(t, "method", methods)
	if outcome == clientLeavesReading || outcome == appDiesInBody {
		method = "GET"
	}
	s.request = drawRequest(t, method, outcome)
	s.response = drawResponse(t, method, outcome)
	switch outcome {
	case clientLeavesInHead:
		s.after = rapid.IntRange(1, len(s.request.head())-1).Draw(t, "after")
	case appDiesInHead:
		s.after = rapid.IntRange(1, len(s.response.head())-1).Draw(t, "after")
	case clientLeavesInUpload:
		s.after = rapid.IntRange(0, len(s.request.pieces)-1).Draw(t, "after")
		if s.request.framing == sized && len(s.request.pieces) > 1 {
			s.after = max(s.after, 1)
		}
	case appRespondsEarly:
		s.after = rapid.IntRange(1, len(s.request.pieces)).Draw(t, "after")
	case clientLeavesReading, appDiesInBody:
		s.after = rapid.IntRange(0, len(s.response.pieces)-1).Draw(t, "after")
	case clientLeavesWaiting:
		s.closing = oneOf(t, "closing", []closing{closed, reset, halfClosed})
	}
	return s
}

// drawTunnel draws an upgrade, and what is sent in the tunnel.
func drawTunnel(t *rapid.T, s *step) {
	s.request = message{line: "GET " + anyTarget.Draw(t, "target") + " HTTP/1.1", fields: append(drawFields(t, "HOST: h"), upgradeHeads...)}
	s.response = message{line: "HTTP/1.1 101 Switching Protocols", fields: []string{"upgrade: websocket", "connection: Upgrade", "x: y"}}
	for range rapid.IntRange(1, 6).Draw(t, "lines") {
		size := oneOf(t, "size", []int{1, 100, 70000})
		s.tunnel = append(s.tunnel, tunnelText{rapid.Bool().Draw(t, "by app"), pattern(size)})
	}
	s.closing = oneOf(t, "closing", []closing{closed, halfClosed, reset})
}

func drawRequest(t *rapid.T, method string, outcome outcome) message {
	m := message{line: method + " " + anyTarget.Draw(t, "target") + " HTTP/1.1"}
	kinds := []framing{noBody, sized, chunked}
	needsBody := outcome == clientLeavesInUpload || outcome == appRespondsEarly
	if needsBody {
		kinds = kinds[1:]
	}
	m.fields = append(m.fields, "HOST: h")
	if rapid.IntRange(0, 9).Draw(t, "absolute") == 0 {
		m.line = strings.Replace(m.line, " /", " http://H/", 1)
	}
	if outcome == completes && rapid.IntRange(0, 4).Draw(t, "old") == 0 {
		m.line = strings.TrimSuffix(m.line, "1") + "0"
		kinds = kinds[:2]
		m.line = leadingSlashes.ReplaceAllString(m.line, " /") // without Host, fasthttp would parse a host behind two
		m.fields = oneOf(t, "fields of HTTP/1.0", [][]string{nil, {"Host: h"}, {"Connection: keep-alive"}, {"Connection: X-Hop", "Connection: keep-alive"}})
	}
	drawBody(t, &m, kinds, needsBody)
	m.fields = drawFields(t, m.fields...)
	for range rapid.IntRange(0, 4).Draw(t, "known fields") {
		m.fields = append(m.fields, oneOf(t, "field", requestFields))
	}
	if m.framing != noBody && len(m.pieces) > 0 && outcome == completes && !strings.HasSuffix(m.line, "1.0") && rapid.IntRange(0, 4).Draw(t, "expects") == 0 {
		m.fields = append(m.fields, "Expect: 100-continue")
	}
	return m
}

func drawResponse(t *rapid.T, method string, outcome outcome) message {
	status := oneOf(t, "status", statuses)
	needsBody := outcome == clientLeavesReading || outcome == appDiesInBody
	if needsBody {
		status = "200 OK"
	}
	m := message{line: "HTTP/1.1 " + status}
	kinds := []framing{sized, chunked, untilClose}
	if outcome == appRespondsEarly {
		kinds = kinds[:2]
	}
	if rapid.IntRange(0, 4).Draw(t, "old app") == 0 {
		m.line = "HTTP/1.0 " + status
		kinds = []framing{sized, untilClose}[:min(2, len(kinds)-1)]
	} else {
		for range rapid.IntRange(0, 2).Draw(t, "interim responses") {
			m.interim = append(m.interim, oneOf(t, "interim", interimHeads))
		}
	}
	m.fields = drawFields(t)
	drawBody(t, &m, kinds, needsBody)
	for range rapid.IntRange(0, 5).Draw(t, "known fields") {
		m.fields = append(m.fields, oneOf(t, "field", responseFields))
	}
	switch {
	case strings.HasPrefix(status, "204"):
		m.fields = slices.DeleteFunc(m.fields, isFraming)
		fallthrough
	case method == "HEAD", strings.HasPrefix(status, "304"):
		m.framing, m.pieces, m.trailer = noBody, nil, ""
	}
	return m
}

func isFraming(line string) bool {
	name, _, _ := strings.Cut(strings.ToLower(line), ":")
	return name == "content-length" || name == "transfer-encoding"
}

// drawBody draws a body, and adds the field that frames it.
func drawBody(t *rapid.T, m *message, kinds []framing, needed bool) {
	m.framing = oneOf(t, "framing", kinds)
	body := pattern(oneOf(t, "size", sizes))
	if needed && body == "" {
		body = "x"
	}
	if rapid.IntRange(0, 4).Draw(t, "compressed") == 0 {
		body = string(fasthttp.AppendGzipBytes(nil, []byte(body)))
		m.fields = append(m.fields, "Content-Encoding: gzip")
	}
	switch m.framing {
	case noBody:
		return
	case sized:
		m.fields = append(m.fields, "content-LENGTH: "+strconv.Itoa(len(body)))
	case chunked:
		m.fields = append(m.fields, "transfer-encoding:  Chunked")
		m.chunkExtension, m.trailer = oneOf(t, "extension", chunkExtensions), oneOf(t, "trailer", trailers)
		if len(m.line) > 5 && m.line[:5] == "HTTP/" && rapid.IntRange(0, 9).Draw(t, "and a length") == 0 {
			m.fields = append(m.fields, "Content-Length: 7")
		}
	}
	for body != "" {
		n := len(body)
		if len(m.pieces) < 4 {
			n = rapid.IntRange(1, len(body)).Draw(t, "piece")
		}
		m.pieces = append(m.pieces, body[:n])
		body = body[n:]
	}
	m.headCut = rapid.IntRange(0, 1000).Draw(t, "cut")
}

// drawFields adds fields with every oddity of name and whitespace that must survive.
func drawFields(t *rapid.T, fields ...string) []string {
	for range rapid.IntRange(0, 5).Draw(t, "fields") {
		fields = append(fields, fmt.Sprintf("%s:%s", anyName.Draw(t, "name"), anyValue.Draw(t, "value")))
	}
	return fields
}
