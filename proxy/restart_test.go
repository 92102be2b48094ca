package proxy

import (
	"net"
	"path/filepath"
	"testing"
)

// TestARequestOutlastsARestartOfTheApp holds that of a request that meets an
// app on its way down and up again, only the dialling is repeated.
func TestARequestOutlastsARestartOfTheApp(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.sock")
	heads := make(chan string, 10)
	start := func() (stop func()) {
		l, err := net.Listen("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan bool)
		go func() {
			defer close(ended)
			conn, err := l.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
			buf := make([]byte, 4096)
			n, _ := conn.Read(buf)
			heads <- string(buf[:n])
			conn.Write([]byte(ok))
		}()
		return func() {
			l.Close()
			<-ended
		}
	}
	p := startProxy(t, nil, func(c *Config) { c.App, c.DialWindow = "unix:"+path, patience })
	client := dial(t, p)
	for i, name := range []string{"/first", "/second", "/third"} {
		request := "POST " + name + " HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"
		client.send(request) // while the app is down
		eventually(t, "the request is on its way", func() bool { return p.Stats().Requests == uint64(i+1) })
		stop := start()
		equal(t, "request", receive(t, "request", heads), request)
		equal(t, "answer", client.take(len(ok)), ok)
		stop()
	}
	equal(t, "seen twice", len(heads), 0)
	equal(t, "sent again", p.Stats().Resent, 0)
	equal(t, "not reached", p.Stats().AppDial, 0)
}
