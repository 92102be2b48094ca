package proxy

import (
	"strings"
	"testing"
)

func TestARequestOfBareLFIsRefusedAtOnce(t *testing.T) {
	app := startApp(t, func(w *testConn) {
		for head := w.readHead(); head != ""; head = w.readHead() {
			w.send(okResponse)
		}
	})
	p := startProxy(t, app, nil)
	const get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
	for _, request := range []string{
		"GET / HTTP/1.0\n\n",
		"GET / HTTP/1.1\nHost: h\n\n",
		"GET / HTTP/1.1\nHost: h\n\r\n",
		"GET / HTTP/1.1\r\nHost: h\r\n\n",
		"POST / HTTP/1.1\nHost: h\nContent-Length: 3\n\nabc",
	} {
		for _, before := range []string{"", get} {
			client := dial(t, p)
			if before != "" {
				client.send(before)
				equal(t, "response", client.readN(len(okResponse)), okResponse)
			}
			client.send(request)
			if got, _ := client.readAll(); !strings.HasPrefix(got, "HTTP/1.1 400 ") {
				t.Errorf("%q after %q gave %q, want 400", request, before, got)
			}
		}
	}
}

func TestOnlyTheHeadIsSearchedForBareLF(t *testing.T) {
	const body = "a\n\nb\n\r\nc"
	app := startApp(t, func(w *testConn) {
		for head := w.readHead(); head != ""; head = w.readHead() {
			equal(t, "body", w.readN(len(body)), body)
			w.send(okResponse)
		}
	})
	p := startProxy(t, app, nil)
	for _, version := range []string{"1.0", "1.1"} {
		request := "POST / HTTP/" + version + "\r\nHost: h\r\nConnection: keep-alive\r\nContent-Length: 8\r\n\r\n" + body
		for i := 1; i < len(request); i++ {
			var head headScan
			if head.add([]byte(request[:i])) != nil || head.add([]byte(request[i:])) != nil {
				t.Fatalf("HTTP/%s split at %d is refused", version, i)
			}
			client := dial(t, p)
			client.send(request[:i])
			client.send(request[i:])
			if got := client.readHead(); !strings.HasPrefix(got, "HTTP/1.1 200 ") {
				t.Fatalf("HTTP/%s split at %d gave %q", version, i, got)
			}
			client.Close()
		}
	}
}
