package rig

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net"

	"github.com/valyala/fasthttp"
)

// Server serves HTTP on loopback until Close.
type Server struct {
	address string
	http    *fasthttp.Server
}

// NewServer serves requests with bodies of up to 64 MiB at a free port.
func NewServer(handler fasthttp.RequestHandler) (*Server, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("cannot listen: %w", err)
	}
	s := &Server{listener.Addr().String(), &fasthttp.Server{Handler: handler, NoDefaultServerHeader: true, MaxRequestBodySize: 64 << 20, CloseOnShutdown: true}}
	go func() { _ = s.http.Serve(listener) }() // until Close
	return s, nil
}

// URL is where the server serves, without a path.
func (s *Server) URL() string { return "http://" + s.address }

// Close waits for the requests in flight.
func (s *Server) Close() { _ = s.http.Shutdown() }

// IsSigned reports whether a webhook has its one signature of Standard Webhooks.
func IsSigned(r *fasthttp.Request, secret string) bool {
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "%s.%s.", r.Header.Peek("webhook-id"), r.Header.Peek("webhook-timestamp"))
	mac.Write(r.Body())
	return string(r.Header.Peek("webhook-signature")) == "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
