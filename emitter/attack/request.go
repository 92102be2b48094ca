package main

import (
	"bytes"

	"github.com/valyala/fasthttp"
)

// request is what a participant sends, be it an honest one or an attacker.
type request struct {
	method, path string
	body         []byte
	headers      []string // names and values in turn
}

// response is what comes back.
type response struct {
	status int
	body   []byte
	// cookie is the last one that it sets, as NAME=VALUE, empty without one.
	cookie string
}

// send sends a request.
func send(client *fasthttp.HostClient, r request) (response, error) {
	sent, received := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(sent)
	defer fasthttp.ReleaseResponse(received)
	sent.SetRequestURI("http://" + client.Addr + r.path)
	sent.Header.SetMethod(r.method)
	for i := 0; i+1 < len(r.headers); i += 2 {
		sent.Header.Set(r.headers[i], r.headers[i+1])
	}
	sent.SetBodyRaw(r.body)
	err := client.Do(sent, received)
	return response{received.StatusCode(), bytes.Clone(received.Body()), cookieOf(received)}, err
}

func cookieOf(received *fasthttp.Response) (pair string) {
	for _, field := range received.Header.Cookies() {
		value, _, _ := bytes.Cut(field, []byte{';'})
		pair = string(value)
	}
	return pair
}
