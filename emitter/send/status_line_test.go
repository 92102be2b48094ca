package send

import (
	"crypto/tls"
	"net"
	"strings"
	"testing"
	"time"
)

func TestASuccessIsToldByTheStatusLineWhateverFollows(t *testing.T) {
	own := newAuthority(t)
	certificate := own.issue("localhost", time.Now().Add(time.Hour))
	answers := map[string]responder{
		"a line without colon":    respondAndClose("HTTP/1.1 200 OK\r\nno colon\r\n\r\n"),
		"the status line twice":   respondAndClose("HTTP/1.1 204 No Content\r\nHTTP/1.1 204 No Content\r\n\r\n"),
		"an unknown coding":       respondAndClose("HTTP/1.1 202 Accepted\r\nTransfer-Encoding: identity\r\n\r\n"),
		"a bad length":            respondAndClose("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"),
		"two lengths":             respondAndClose("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
		"a header of 70 KB":       respondAndClose("HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 70<<10) + "\r\n\r\n"),
		"nothing":                 respondAndClose("HTTP/1.1 200 OK\r\n"),
		"a reset":                 respondAndReset("HTTP/1.1 200 OK\r\nX"),
		"bad after an interim":    respondAndClose("HTTP/1.1 103 Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nbad\r\n\r\n"),
		"a bad line of bare LF":   respondAndClose("HTTP/1.1 200 OK\nbad\n\n"),
		"a status without reason": respondAndClose("HTTP/1.1 200\r\nbad\r\n\r\n"),
	}
	for name, answer := range answers {
		t.Run(name, func(t *testing.T) {
			plain := newRawReceiver(t, answer)
			secured := newRawReceiverOn(t, tls.NewListener(listenOnLoopback(t), &tls.Config{Certificates: []tls.Certificate{certificate}}), "https", answer)
			for _, receiver := range []*rawReceiver{plain, secured} {
				target := targetAt(t, receiver.url)
				target.TLS.CA = own.file
				if result := send(newSender(t, target)); result.Outcome != Delivered || result.Status/100 != 2 {
					t.Errorf("%s: result is %+v, want delivered", receiver.url, result)
				}
				if n := receiver.count(); n != 1 {
					t.Errorf("%s: %d requests", receiver.url, n)
				}
			}
		})
	}
}

func TestAnUnreadableResponseIsNoSuccessWithoutItsStatusLine(t *testing.T) {
	f := func(name, answer string) {
		t.Helper()
		if result := send(newSender(t, targetAt(t, newRawReceiver(t, respondAndClose(answer)).url))); result.Outcome != Retry {
			t.Errorf("%s: result is %+v, want retry", name, result)
		}
	}
	f("half a line", "HTTP/1.1 200 O")
	f("half a line after an interim response", "HTTP/1.1 103 Hints\r\n\r\nHTTP/1.1 200 OK")
	f("no code", "HTTP/1.1 2000 OK\r\nbad\r\n\r\n")
	f("another protocol", "ICY 200 OK\r\nbad\r\n\r\n")
	f("a success in the header of an interim response", "HTTP/1.1 103 Hints\r\nHTTP/1.1 200 OK\r\nbad\r\n\r\n")
	f("a success in the header of a failure", "HTTP/1.1 503 No\r\nHTTP/1.1 200 OK\r\n\r\n")
}

func TestTheStatusIsReadInPiecesOfAnySize(t *testing.T) {
	const response = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nHTTP/1.1 500: x\r\n\r\nHTTP/1.1 201 Created and so on\r\nX: y\r\n\r\nHTTP/1.1 500 No\r\n\r\n"
	for size := 1; size <= len(response); size++ {
		conn := &statusConn{Conn: fixedConn{text: strings.NewReader(response)}}
		for piece := make([]byte, size); ; {
			if _, err := conn.Read(piece); err != nil {
				break
			}
		}
		if status := conn.read(); status != 201 {
			t.Errorf("in pieces of %d bytes, the status is %d", size, status)
		}
		if conn.begin(); conn.read() != 0 {
			t.Error("the status stays for the next request")
		}
	}
}

// fixedConn is a connection from which a text is read.
type fixedConn struct {
	net.Conn
	text *strings.Reader
}

func (c fixedConn) Read(p []byte) (int, error) { return c.text.Read(p) }
