package main

import (
	"bufio"
	"bytes"
	"strconv"
	"strings"
)

// The headers by which the app recognises measured requests. A request with
// none of them and no path of a workload is sidehook's own.
const (
	// stepHeader is the number of a step of the session.
	stepHeader = "X-Step"
	// newIDHeader is the id that the app is to make up for a new participant.
	newIDHeader = "X-New-Participant"
	// exchangeHeader is the number of an exchange with the scripted app.
	exchangeHeader = "X-Exchange"
)

// head is what the app needs of a request's head. It parses only what the bench
// and sidehook send.
type head struct {
	method, path string
	// step and exchange are -1 without their header.
	step, exchange int
	newID          string
	length         int
}

// readHead reads a head up to the empty line.
func readHead(in *bufio.Reader) (h head, err error) {
	h = head{step: -1, exchange: -1}
	line, err := in.ReadSlice('\n')
	if err != nil {
		return h, err
	}
	method, rest, _ := bytes.Cut(line, []byte(" "))
	path, _, _ := bytes.Cut(rest, []byte(" "))
	h.method, h.path = string(method), string(path)
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return h, err
		}
		name, value, isField := bytes.Cut(line, []byte(":"))
		if !isField {
			return h, nil
		}
		if err := h.readField(name, bytes.TrimSpace(value)); err != nil {
			return h, err
		}
	}
}

func (h *head) readField(name, value []byte) (err error) {
	is := func(other string) bool { return bytes.EqualFold(name, []byte(other)) }
	switch {
	case is(stepHeader):
		h.step, err = strconv.Atoi(string(value))
	case is(exchangeHeader):
		h.exchange, err = strconv.Atoi(string(value))
	case is("Content-Length"):
		h.length, err = strconv.Atoi(string(value))
	case is(newIDHeader):
		h.newID = string(value)
	}
	return err
}

// responseToSidecar is Decsys' response to a request for its release or for the
// past of an unknown participant. The response to any other GET is the web page.
func (h head) responseToSidecar() []byte {
	segments := strings.Split(strings.Trim(h.path, "/"), "/")
	isLog := strings.HasPrefix(h.path, "/api/log/")
	switch {
	case h.method != "GET":
		return []byte("HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n")
	case h.path == "/version":
		return whole("application/json", []byte(`"2.6.0"`))
	case isLog && len(segments) == 4:
		return whole("application/json; charset=utf-8", []byte("[]"))
	case isLog:
		return []byte("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
	default:
		return whole("text/html", []byte("<!doctype html>"))
	}
}
