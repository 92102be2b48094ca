package proxy

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
)

func TestAbortedRequestsLeakNothing(t *testing.T) {
	aborts := 10000
	if testing.Short() {
		aborts = 300
	}
	app := startApp(t, func(w *testConn) {
		for {
			head := w.readHead()
			if strings.Contains(head, "POST /early") {
				w.send(okResponse)
			}
			if !strings.Contains(head, "GET /stream") && !strings.Contains(head, "GET /ok") {
				w.readAll()
				return
			}
			if strings.Contains(head, "GET /ok") {
				w.send(okResponse)
				continue
			}
			w.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n")
			w.readAll()
			return
		}
	})
	goroutines, files := runtime.NumGoroutine(), openFiles(t)
	p := startProxy(t, app, nil)
	requests := []string{
		"GET /wait HTTP/1.1\r\nHost: h\r\n\r\n",
		"GET /stream HTTP/1.1\r\nHost: h\r\n\r\n",
		"POST /wait HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nab",
		"POST /wait HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nab",
		"POST /wait HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nabGET /unread HTTP/1.1\r\n",
		"POST /wait HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcdefgh\r\n0\r\n\r\nmore",
		"POST /wait HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\nx\r\nmore",
		"POST /wait HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nHost: x\r\n\r\n",
		"POST /early HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\nx\r\nmore",
		"POST /early HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n5\r\n",
		"POST /early HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nab",
		"GET /half",
		"GET /ok HTTP/1.1\r\nHost: h\r\n\r\n",
		"",
	}
	var wait sync.WaitGroup
	for worker := range 8 {
		wait.Go(func() {
			for i := worker; i < aborts; i += 8 {
				abortRequest(t, p, requests[i%len(requests)], i%2 == 0)
			}
		})
	}
	wait.Wait()
	eventually(t, "nobody is connected", func() bool { return p.Stats().Connections == 0 })
	if err := p.Shutdown(t.Context()); err != nil { // idle connections are no leak
		t.Error(err)
	}
	eventually(t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= goroutines+2 }) // fasthttp's clock and the app's listener
	eventually(t, "no file is left open", func() bool { return openFiles(t) <= files+2 })
	t.Logf("%d aborted requests: %d goroutines before, %d after; %d files open before, %d after",
		aborts, goroutines, runtime.NumGoroutine(), files, openFiles(t))
}

func abortRequest(t *testing.T, p *Proxy, request string, reset bool) {
	conn, err := net.Dial("tcp", p.Addr().String())
	if err != nil {
		t.Error(err)
		return
	}
	defer conn.Close()
	if reset {
		conn.(*net.TCPConn).SetLinger(0)
	}
	fmt.Fprint(conn, request)
}

func openFiles(t *testing.T) int {
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("cannot count files here")
	}
	return len(files)
}
