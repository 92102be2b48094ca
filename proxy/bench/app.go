package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"strconv"
)

// stepHeader tells the app which step of the session a request is.
const stepHeader = "X-Step"

// app is the app behind the proxies: it has all its answers ready and does
// nothing but send them, so that little time is not the proxies'.
type app struct {
	byPath map[string][]byte
	byStep [][]byte
}

func newApp() (*app, error) {
	steps, err := loadSession()
	if err != nil {
		return nil, err
	}
	a := &app{byPath: map[string][]byte{}}
	for _, w := range workloads {
		if w.size > 0 {
			a.byPath[w.path] = known(w.size)
		}
	}
	for _, s := range steps {
		a.byStep = append(a.byStep, s.answer())
	}
	return a, nil
}

// known is an answer of known length.
func known(size int) []byte {
	head := fmt.Sprintf("HTTP/1.1 200 OK\r\n%sContent-Type: application/json; charset=utf-8\r\nContent-Length: %d\r\n\r\n", kestrelHeaders, size)
	return append([]byte(head), noise(size)...)
}

// serve answers whoever connects.
func (a *app) serve(l net.Listener) error {
	for {
		conn, err := l.Accept()
		if err != nil {
			return err
		}
		go a.answer(conn)
	}
}

// answer answers the requests of one connection until it ends. Only what the
// bench sends is understood.
func (a *app) answer(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReaderSize(conn, 16<<10)
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return
		}
		response := a.byPath[pathOf(line)]
		step, length, err := readHeaders(in)
		if err != nil {
			return
		}
		if step >= 0 && step < len(a.byStep) {
			response = a.byStep[step]
		}
		if response == nil {
			response = []byte("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
		}
		if _, err := in.Discard(length); err != nil {
			return
		}
		if _, err := conn.Write(response); err != nil {
			return
		}
	}
}

func pathOf(line []byte) string {
	_, rest, _ := bytes.Cut(line, []byte(" "))
	path, _, _ := bytes.Cut(rest, []byte(" "))
	return string(path)
}

// readHeaders reads up to the empty line; step is -1 where there is none.
func readHeaders(in *bufio.Reader) (step, length int, err error) {
	step = -1
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return 0, 0, err
		}
		name, value, isField := bytes.Cut(line, []byte(":"))
		if !isField {
			return step, length, nil
		}
		switch {
		case bytes.EqualFold(name, []byte(stepHeader)):
			step, err = strconv.Atoi(string(bytes.TrimSpace(value)))
		case bytes.EqualFold(name, []byte("Content-Length")):
			length, err = strconv.Atoi(string(bytes.TrimSpace(value)))
		}
		if err != nil {
			return 0, 0, err
		}
	}
}
