package proxy

import (
	"fmt"
	"io"
	"net/http/httputil"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/sidehook/sidehook/rules"
)

// message is a request or an answer, in parts.
type message struct {
	head    string // up to the empty line
	body    string // without framing
	chunked bool
	cuts    []int // where the sender pauses, in bytes of the wire
}

// wire returns the message as it is sent.
func (m message) wire(t *rapid.T) string {
	if !m.chunked {
		return m.head + m.body
	}
	var b strings.Builder
	for left := m.body; left != ""; {
		n := rapid.IntRange(1, len(left)).Draw(t, "chunk")
		fmt.Fprintf(&b, "%x%s\r\n%s\r\n", n, rapid.SampledFrom([]string{"", ";a", ";a=\"b\""}).Draw(t, "extension"), left[:n])
		left = left[n:]
	}
	return m.head + b.String() + "0\r\n\r\n"
}

// sendCut sends text in pieces.
func (w *wire) sendCut(text string, cuts []int) {
	for _, cut := range cuts {
		if cut %= len(text); cut > 0 {
			w.send(text[:cut])
			text = text[cut:]
		}
	}
	w.send(text)
}

// read reads a message like m, and returns its head and body.
func (w *wire) read(m message) (head, body string) {
	head = w.head()
	if !m.chunked {
		return head, w.take(len(m.body))
	}
	all, _ := io.ReadAll(httputil.NewChunkedReader(w.in))
	w.take(len("\r\n"))
	return head, string(all)
}

// drawFields draws header fields with every oddity that must survive.
func drawFields(t *rapid.T) string {
	name := rapid.StringMatching(`[Xx]-[a-zA-Z0-9!#$%&'*+.^_|~-]{1,12}`)
	value := rapid.StringMatching(`[ \t]{0,3}([!-~][ -~]{0,30})?[ \t]{0,2}`)
	var b strings.Builder
	for range rapid.IntRange(0, 8).Draw(t, "fields") {
		b.WriteString(name.Draw(t, "name") + ":" + value.Draw(t, "value") + "\r\n")
	}
	return b.String()
}

func drawMessage(t *rapid.T, firstLine string, mayHaveBody bool) message {
	m := message{head: firstLine + drawFields(t)}
	kind := 0
	if mayHaveBody {
		kind = rapid.IntRange(0, 2).Draw(t, "framing")
	}
	m.body = pattern(rapid.SampledFrom([]int{0, 1, 100, 5000, 70000}).Draw(t, "size"))
	switch kind {
	case 0:
		m.body = ""
		if mayHaveBody {
			m.head += "content-LENGTH: 0\r\n"
		}
	case 1:
		m.head += "Content-Length: " + strconv.Itoa(len(m.body)) + "\r\n"
	case 2:
		m.head += "transfer-encoding:  Chunked\r\n"
		m.chunked = true
	}
	m.head += drawFields(t) + "\r\n"
	m.cuts = rapid.SliceOfN(rapid.IntRange(1, 80000), 0, 4).Draw(t, "cuts")
	return m
}

// It is the strongest test of all: what the app gets and what the participant
// gets is compared with what was sent, for whatever may be said.
func TestWhateverIsSaidArrivesAsItWasSaid(t *testing.T) {
	requests, answers, wires := make(chan message, 1), make(chan message, 1), make(chan string, 1)
	app := startApp(t, func(w *wire) {
		for want := range requests {
			w.SetDeadline(time.Now().Add(patience))
			head, body := w.read(want)
			equal(t, "head of the request", head, want.head)
			equal(t, "body of the request", body, want.body)
			w.sendCut(<-wires, (<-answers).cuts)
		}
	})
	var watched atomic.Bool
	heard := make(chan rules.Exchange, 1)
	p := startProxy(t, app, func(c *Config) {
		c.Watcher = watcher(func(string, string) func(rules.Exchange) {
			if !watched.Load() {
				return nil
			}
			return func(x rules.Exchange) { heard <- x }
		})
	})
	client := dial(t, p)
	defer close(requests)
	rapid.Check(t, func(t *rapid.T) {
		method := rapid.SampledFrom([]string{"GET", "POST", "PUT", "DELETE", "M-SEARCH"}).Draw(t, "method")
		target := rapid.StringMatching(`/[!-"$-~]{0,40}`).Draw(t, "target")
		status := rapid.SampledFrom([]string{"200 OK", "404 ", "299", "500  Oh  no"}).Draw(t, "status")
		request := drawMessage(t, method+" "+target+" HTTP/1.1\r\nHOST: h\r\n", true)
		answer := drawMessage(t, "HTTP/1.1 "+status+"\r\n", true)
		watched.Store(rapid.Bool().Draw(t, "watched"))

		client.SetDeadline(time.Now().Add(patience))
		requests <- request
		answers <- answer
		wires <- answer.wire(t)
		client.sendCut(request.wire(t), request.cuts)
		head, body := client.read(answer)
		equal(t, "head of the answer", head, answer.head)
		equal(t, "body of the answer", body, answer.body)
		client.isEmpty()
		if watched.Load() {
			x := <-heard
			equal(t, "request as watched", string(x.RequestBody), request.body)
			equal(t, "answer as watched", string(x.ResponseBody), answer.body)
		}
	})
}
