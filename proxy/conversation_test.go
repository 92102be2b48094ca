package proxy

import (
	"fmt"
	"strings"
	"sync/atomic"
)

// conversation is what a participant sends and an app responds, over one
// connection unless a step ends it. A harness runs it.
type conversation []*step

// step is one request, its response, and how that ends. Whoever sends a body
// waits after each piece until it has arrived.
type step struct {
	request, response message
	watched           bool
	outcome           outcome
	closing           closing      // how the connection ends, where the outcome ends it
	after             int          // pieces, or bytes of a head, sent before the outcome occurs
	tunnel            []tunnelText // after an upgrade; whoever sends the last one ends the tunnel
}

// message is a request or a response as it is sent.
type message struct {
	interim        []string // heads before a response
	line           string
	fields         []string
	framing        framing
	pieces         []string // of the body: chunks, or what is written at once
	chunkExtension string   // behind the size of each chunk
	trailer        string
	headCut        int // where the head is split into two writes
}

// tunnelText is sent by one side in a tunnel.
type tunnelText struct {
	byApp bool
	text  string
}

// outcome is how a step ends.
type outcome string

const (
	completes            outcome = ""
	clientLeavesInHead   outcome = "the participant leaves within the head"
	clientLeavesInUpload outcome = "the participant leaves within the upload"
	clientLeavesWaiting  outcome = "the participant leaves before the response"
	clientLeavesReading  outcome = "the participant leaves within the response"
	appRespondsEarly     outcome = "the app responds before the upload has ended"
	appDiesBeforeHead    outcome = "the app breaks off before its response"
	appDiesInHead        outcome = "the app breaks off within the head"
	appDiesInBody        outcome = "the app breaks off within the body"
	upgrades             outcome = "both switch to another protocol"
)

// String describes the step in a failure, with long texts cut.
func (s *step) String() string {
	text := fmt.Sprintf("\n%q %d%.9q\n%q %q %d%.9q\nwatched %v, outcome %q %s after %d", s.request.head(), s.request.framing, s.request.pieces,
		s.response.interim, s.response.head(), s.response.framing, s.response.pieces, s.watched, s.outcome, s.closing, s.after)
	for _, line := range s.tunnel {
		text += fmt.Sprintf(" %v:%d", line.byApp, len(line.text))
	}
	return text
}

// isIncomplete reports whether too little of the request is sent for the proxy to
// pass anything on.
func (s *step) isIncomplete() bool {
	return s.outcome == clientLeavesInHead || s.outcome == clientLeavesInUpload && s.request.framing == sized && s.after == 0
}

func (s *step) isHTTP10() bool { return strings.HasSuffix(s.request.line, "HTTP/1.0") }

func (s *step) isHead() bool { return strings.HasPrefix(s.request.line, "HEAD ") }

// isEmpty reports whether the message has no body.
func (m *message) isEmpty() bool { return m.framing != chunked && m.size(len(m.pieces)) == 0 }

// head returns the head as it is sent.
func (m *message) head() string {
	return strings.Join(append([]string{m.line}, m.fields...), "\r\n") + "\r\n\r\n"
}

// size returns the length of the first n pieces of the body.
func (m *message) size(n int) int { return len(strings.Join(m.pieces[:n], "")) }

// sendAll sends the whole message.
func (m *message) sendAll(w *testConn, arrived *atomic.Int64) {
	m.send(w, arrived, 0)
	m.sendRest(w, arrived, 0)
}

// send sends the head, and the first n pieces of the body.
func (m *message) send(w *testConn, arrived *atomic.Int64, n int) {
	for _, interim := range m.interim {
		w.send(interim)
	}
	head := m.head()
	w.send(head[:m.headCut%len(head)])
	w.send(head[m.headCut%len(head):])
	m.sendPieces(w, arrived, 0, n)
}

// text returns the whole message as it is sent.
func (m *message) text() string {
	text := strings.Join(m.interim, "") + m.head()
	for i := range m.pieces {
		text += m.piece(i)
	}
	return text + m.last()
}

// piece returns one piece of the body as it is sent.
func (m *message) piece(i int) string {
	switch m.framing {
	case noBody:
		return ""
	case chunked:
		return fmt.Sprintf("%x%s\r\n%s\r\n", len(m.pieces[i]), m.chunkExtension, m.pieces[i])
	}
	return m.pieces[i]
}

// last returns what ends the body.
func (m *message) last() string {
	if m.framing != chunked {
		return ""
	}
	return "0" + m.chunkExtension + "\r\n" + m.trailer + "\r\n"
}

// sendRest sends the pieces from n on, and the end of the body.
func (m *message) sendRest(w *testConn, arrived *atomic.Int64, n int) {
	m.sendPieces(w, arrived, n, len(m.pieces))
	w.send(m.last())
}

// sendPieces sends some pieces, and waits after each one until it has arrived.
func (m *message) sendPieces(w *testConn, arrived *atomic.Int64, from, to int) {
	if m.framing == noBody {
		return
	}
	for i := from; i < to; i++ {
		w.send(m.piece(i))
		m.await(w, arrived, m.size(i+1))
	}
}

// await waits until that much of the body has arrived.
func (m *message) await(w *testConn, arrived *atomic.Int64, size int) {
	eventuallySoon(w.t, fmt.Sprintf("%d bytes of the body of %q have arrived", size, m.line), func() bool {
		return arrived.Load() >= int64(size)
	})
}

// getRequest is a GET with these fields.
func getRequest(fields ...string) message {
	return message{line: "GET / HTTP/1.1", fields: append([]string{"Host: h"}, fields...)}
}

// postRequest is a POST with this body, of up to 9 bytes.
func postRequest(body string) message {
	return message{line: "POST / HTTP/1.1", fields: []string{"Host: h", "Content-Length: " + string('0'+rune(len(body)))}, framing: sized, pieces: []string{body}}
}

// okReply is a 200 with these fields.
func okReply(fields ...string) message {
	return message{line: "HTTP/1.1 200 OK", fields: append(fields, "Content-Length: 2"), framing: sized, pieces: []string{"ok"}}
}

// chunkedReply is a 200 with these chunks.
func chunkedReply(pieces ...string) message {
	return message{line: "HTTP/1.1 200 OK", fields: []string{"Transfer-Encoding: chunked"}, framing: chunked, pieces: pieces}
}
