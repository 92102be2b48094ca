package proxy

import (
	"fmt"
	"strings"
	"sync/atomic"
)

// message is a request or an answer as it is sent.
type message struct {
	interim []string // heads before it; of answers
	line    string
	fields  []string
	framing framing
	pieces  []string // of the body: chunks, or what is written at once
	ends    string   // what each chunk's size is followed by
	trailer string
	cut     int // where the head is cut in two writes
}

// fate is how a talk breaks off, and who does it.
type fate string

const (
	goesWell        fate = ""
	leavesInHead    fate = "the participant leaves within the head"
	leavesInUpload  fate = "the participant leaves within the upload"
	leavesWaiting   fate = "the participant leaves while waiting"
	leavesListening fate = "the participant leaves within the answer"
	answersEarly    fate = "the app answers before the upload has ended"
	diesBefore      fate = "the app breaks off before its answer"
	diesInHead      fate = "the app breaks off within the head"
	diesInBody      fate = "the app breaks off within the body"
	switches        fate = "both switch to another protocol"
)

// how a connection is ended.
type how string

const (
	half  how = "half-closed"
	full  how = "closed"
	reset how = "reset"
)

// said is a line of a tunnel's conversation.
type said struct {
	byApp bool
	text  string
}

// talk is one request, its answer, and what becomes of them. Whoever sends a
// piece of a body waits until it has arrived before the next.
type talk struct {
	request, answer message
	watched         bool
	fate            fate
	how             how
	after           int    // pieces, or bytes of a head, before the fate comes
	lines           []said // in the tunnel; who says the last one ends it
}

// String is a talk for a message, with long texts cut.
func (k *talk) String() string {
	text := fmt.Sprintf("\n%q %d%.9q\n%q %q %d%.9q\nwatched %v, fate %q %s after %d", k.request.head(), k.request.framing, k.request.pieces,
		k.answer.interim, k.answer.head(), k.answer.framing, k.answer.pieces, k.watched, k.fate, k.how, k.after)
	for _, line := range k.lines {
		text += fmt.Sprintf(" %v:%d", line.byApp, len(line.text))
	}
	return text
}

// isStub tells whether not enough of the request is sent to pass it on.
func (k *talk) isStub() bool {
	return k.fate == leavesInHead || k.fate == leavesInUpload && k.request.framing == sized && k.after == 0
}

// head is the head as it is sent.
func (m *message) head() string {
	return strings.Join(append([]string{m.line}, m.fields...), "\r\n") + "\r\n\r\n"
}

// size is how long the first n pieces of the body are.
func (m *message) size(n int) int { return len(strings.Join(m.pieces[:n], "")) }

// sendAll sends the whole message.
func (m *message) sendAll(w *wire, arrived *atomic.Int64) {
	m.send(w, arrived, 0)
	m.sendRest(w, arrived, 0)
}

// send sends the head, and the first n pieces of the body.
func (m *message) send(w *wire, arrived *atomic.Int64, n int) {
	for _, interim := range m.interim {
		w.send(interim)
	}
	head := m.head()
	w.send(head[:m.cut%len(head)])
	w.send(head[m.cut%len(head):])
	m.sendPieces(w, arrived, 0, n)
}

// text is the message as it is sent, at once.
func (m *message) text() string {
	text := strings.Join(m.interim, "") + m.head()
	for i := range m.pieces {
		text += m.piece(i)
	}
	return text + m.last()
}

// piece is a piece as it is sent, last what ends the body.
func (m *message) piece(i int) string {
	switch m.framing {
	case noBody:
		return ""
	case chunked:
		return fmt.Sprintf("%x%s\r\n%s\r\n", len(m.pieces[i]), m.ends, m.pieces[i])
	}
	return m.pieces[i]
}

func (m *message) last() string {
	if m.framing != chunked {
		return ""
	}
	return "0" + m.ends + "\r\n" + m.trailer + "\r\n"
}

// sendRest sends the pieces from n on, and the end.
func (m *message) sendRest(w *wire, arrived *atomic.Int64, n int) {
	m.sendPieces(w, arrived, n, len(m.pieces))
	w.send(m.last())
}

// sendPieces sends some pieces, and waits for each one to arrive.
func (m *message) sendPieces(w *wire, arrived *atomic.Int64, from, to int) {
	if m.framing == noBody {
		return
	}
	for i := from; i < to; i++ {
		w.send(m.piece(i))
		m.await(w, arrived, m.size(i+1))
	}
}

// await waits until so many bytes of the body have arrived.
func (m *message) await(w *wire, arrived *atomic.Int64, size int) {
	soon(w.t, fmt.Sprintf("%d bytes of the body of %q have arrived", size, m.line), func() bool {
		return arrived.Load() >= int64(size)
	})
}
