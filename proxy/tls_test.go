package proxy

import (
	"bufio"
	"bytes"
	"io"
	"strings"
	"testing"
)

func TestLongBodiesPassBothWaysOverTLS(t *testing.T) {
	body := pattern(5 << 20)
	f := func(name, request, response, end string) {
		t.Run(name, func(t *testing.T) {
			p, app := startTLSProxy(t, func(w *tlsTestConn) {
				for head := w.readHead(); head != ""; head = w.readHead() {
					got := ""
					if strings.Contains(head, "chunked") {
						got = readChunked(t, w.in)
					} else {
						got = w.readN(len(body))
					}
					if got != body {
						t.Errorf("the app got another body, %d bytes", len(got))
					}
					w.send(response)
				}
			}, nil)
			for range 2 {
				client := dial(t, p)
				go client.send(request)
				client.readHead()
				got := ""
				if end == "" {
					got = client.readN(len(body))
				} else {
					got = readChunked(t, client.in)
				}
				if got != body {
					t.Errorf("got another body, %d bytes", len(got))
				}
				awaitKept(t, p)
			}
			equal(t, "connections", app.conns.Load(), 1)
		})
	}
	chunked := "500000\r\n" + body + "\r\n0\r\n\r\n"
	f("with a length", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5242880\r\n\r\n"+body,
		"HTTP/1.1 200 OK\r\nContent-Length: 5242880\r\n\r\n"+body, "")
	f("in chunks", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"+chunked,
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"+chunked, "0")
}

func TestResponseUpToTheEndOfTLSIsComplete(t *testing.T) {
	p, _ := startTLSProxy(t, func(w *tlsTestConn) {
		w.readHead()
		w.send("HTTP/1.1 200 OK\r\n\r\nup to the end")
	}, nil)
	client := dial(t, p)
	client.send("GET / HTTP/1.0\r\nHost: h\r\n\r\n")
	client.readHead()
	got, err := client.readAll()
	equal(t, "body", got, "up to the end")
	equal(t, "error", err, nil)
}

func TestLeavingParticipantEndsTheAppsRequestOverTLS(t *testing.T) {
	received, ended := make(chan bool, 1), make(chan error, 1)
	p, _ := startTLSProxy(t, func(w *tlsTestConn) {
		w.readHead()
		received <- true
		_, err := w.readAll() // up to close_notify
		ended <- err
	}, nil)
	client := dial(t, p)
	client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	receive(t, "request", received)
	client.Close()
	equal(t, "error", receive(t, "end", ended), nil)
}

func TestAppThatClosesDuringAnUploadOverTLSClosesTheParticipantsConnection(t *testing.T) {
	read := make(chan bool)
	p, _ := startTLSProxy(t, func(w *tlsTestConn) {
		w.readHead()
		w.send("HTTP/1.1 413 Too Large\r\nContent-Length: 4\r\n\r\nstop")
		<-read // so that the response arrives alone
	}, nil)
	client := dial(t, p)
	client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\nab")
	if head := client.readHead(); !strings.HasPrefix(head, "HTTP/1.1 413 ") {
		t.Errorf("got %q, want 413", head)
	}
	equal(t, "body", client.readN(4), "stop")
	close(read)
	client.expectEnd() // though the upload continues
}

func TestTunnelOverTLSPassesEveryByteBothWays(t *testing.T) {
	p, _ := startTLSProxy(t, func(w *tlsTestConn) {
		equal(t, "request", w.readHead(), upgradeRequest)
		w.cork.holds = true // so that all of it is read ahead
		w.send(upgradeResponse)
		for range 20 {
			w.send("glued ")
		}
		w.cork.uncork()
		equal(t, "early bytes", w.readN(5), "early")
		io.Copy(w.conn, w.in) // echo
	}, nil)
	client := dial(t, p)
	client.send(upgradeRequest + "early")
	equal(t, "response", client.readHead(), upgradeResponse)
	equal(t, "glued bytes", client.readN(120), strings.Repeat("glued ", 20))

	frame := pattern(1 << 20)
	go func() {
		for range 4 {
			client.send(frame)
		}
		client.CloseWrite()
	}()
	for range 4 {
		if client.readN(len(frame)) != frame {
			t.Fatal("the echo differs")
		}
	}
	client.expectEnd()
}

func TestTunnelOverTLSPassesHalfCloses(t *testing.T) {
	t.Run("of the participant", func(t *testing.T) {
		p, _ := startTLSProxy(t, func(w *tlsTestConn) {
			w.readHead()
			w.send(upgradeResponse)
			got, _ := w.readAll()
			w.send("after " + got)
		}, nil)
		client := dial(t, p)
		client.send(upgradeRequest)
		client.readHead()
		client.send("bye")
		client.CloseWrite()
		got, _ := client.readAll()
		equal(t, "response", got, "after bye")
	})
	t.Run("of the app", func(t *testing.T) {
		requests := make(chan string, 1)
		p, _ := startTLSProxy(t, func(w *tlsTestConn) {
			w.readHead()
			w.send(upgradeResponse + "bye")
			w.conn.CloseWrite()
			got, _ := w.readAll()
			requests <- got
		}, nil)
		client := dial(t, p)
		client.send(upgradeRequest)
		client.readHead()
		got, _ := client.readAll()
		equal(t, "response", got, "bye")
		client.send("after")
		client.CloseWrite()
		equal(t, "request", receive(t, "bytes", requests), "after")
	})
}

// readChunked reads a chunked body.
func readChunked(t *testing.T, r *bufio.Reader) string {
	t.Helper()
	var whole strings.Builder
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			t.Errorf("the chunks break off: %v", err)
			return ""
		}
		size := parseChunkSize(bytes.TrimRight(line, "\r\n"))
		if _, err := io.CopyN(&whole, r, int64(size)); err != nil {
			t.Errorf("a chunk breaks off: %v", err)
			return ""
		}
		r.ReadSlice('\n')
		if size == 0 {
			return whole.String()
		}
	}
}
