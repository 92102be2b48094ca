package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
)

// serveCommand makes this program one of the servers, in a process of its own:
// serve ROLE LISTEN APP.
const serveCommand = "serve"

func serve(args []string) error {
	role, listen, upstream := args[0], args[1], args[2]
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return fmt.Errorf("cannot listen: %w", err)
	}
	switch role {
	case "app":
		a, err := newApp()
		if err != nil {
			return err
		}
		return a.serve(l)
	case "reverse-proxy":
		return serveReverseProxy(l, upstream)
	default:
		return serveSplice(l, upstream)
	}
}

// serveReverseProxy runs net/http/httputil's proxy as its documentation advises
// for load: with idle connections kept and buffers reused.
func serveReverseProxy(l net.Listener, upstream string) error {
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: upstream})
	proxy.Transport = &http.Transport{MaxIdleConnsPerHost: 1024, DisableCompression: true}
	proxy.BufferPool = &buffers{}
	proxy.ErrorLog = log.New(io.Discard, "", 0)
	return (&http.Server{Handler: proxy}).Serve(l)
}

// buffers pools buffers of the size that ReverseProxy allocates by itself.
type buffers struct{ pool sync.Pool }

func (b *buffers) Get() []byte {
	if kept, ok := b.pool.Get().(*[]byte); ok {
		return *kept
	}
	return make([]byte, 32<<10)
}

func (b *buffers) Put(buffer []byte) { b.pool.Put(&buffer) }

// serveSplice joins each connection to one of its own to the app; on Linux
// io.Copy between the two moves bytes with splice(2).
func serveSplice(l net.Listener, upstream string) error {
	for {
		client, err := l.Accept()
		if err != nil {
			return err
		}
		go splice(client, upstream)
	}
}

func splice(client net.Conn, upstream string) {
	defer client.Close()
	app, err := net.Dial("tcp", upstream)
	if err != nil {
		return
	}
	defer app.Close()
	var ways sync.WaitGroup
	ways.Go(func() { pipe(app, client) })
	ways.Go(func() { pipe(client, app) })
	ways.Wait()
}

// pipe copies one direction and closes its write side at the end. An error ends
// the other direction too.
func pipe(to, from net.Conn) {
	if _, err := io.Copy(to, from); err != nil {
		to.Close()
		from.Close()
		return
	}
	_ = to.(*net.TCPConn).CloseWrite()
}
