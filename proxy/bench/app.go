package main

import (
	"bufio"
	"fmt"
	"net"
)

// app is the app behind the proxies. Nearly all its responses are made before
// the start, so that it takes little of the machine's time.
type app struct {
	byPath map[string][]byte
	steps  []step
	byStep [][]byte
}

func newApp() (*app, error) {
	steps, err := loadSession()
	if err != nil {
		return nil, err
	}
	a := &app{byPath: map[string][]byte{}, steps: steps}
	for _, w := range workloads {
		if w.size > 0 {
			a.byPath[w.path] = whole("application/json; charset=utf-8", noise(w.size))
		}
	}
	for _, s := range steps {
		a.byStep = append(a.byStep, s.onWire(""))
	}
	return a, nil
}

// whole is a 200 response with a Content-Length.
func whole(mediaType string, body []byte) []byte {
	head := fmt.Sprintf("HTTP/1.1 200 OK\r\n%sContent-Type: %s\r\nContent-Length: %d\r\n\r\n", kestrelHeaders, mediaType, len(body))
	return append([]byte(head), body...)
}

// serve accepts connections until the listener is closed.
func (a *app) serve(l net.Listener) error {
	for {
		conn, err := l.Accept()
		if err != nil {
			return err
		}
		go a.converse(conn)
	}
}

// converse serves one connection until it ends.
func (a *app) converse(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReaderSize(conn, 16<<10)
	for {
		h, err := readHead(in)
		if err != nil {
			return
		}
		if _, err := in.Discard(h.length); err != nil {
			return
		}
		if _, err := conn.Write(a.respond(h)); err != nil {
			return
		}
	}
}

func (a *app) respond(h head) []byte {
	switch {
	case h.newID != "" && h.step >= 0 && h.step < len(a.steps):
		return a.steps[h.step].onWire(h.newID)
	case h.step >= 0 && h.step < len(a.byStep):
		return a.byStep[h.step]
	}
	if response := a.byPath[h.path]; response != nil {
		return response
	}
	return h.responseToSidecar()
}
