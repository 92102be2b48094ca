package proxy

import (
	"strings"
	"testing"

	"github.com/sidehook/sidehook/rules"
)

// chunkedUpload is a whole request in chunks.
const chunkedUpload = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\nX-T: 1\r\n\r\n"

func TestAChunkedUploadThatBreaksOffIsNeverWholeForTheApp(t *testing.T) {
	got := make(chan string, len(chunkedUpload))
	app := startApp(t, func(w *wire) {
		w.head()
		body, _ := w.rest()
		got <- body
	})
	heard := make(chan rules.Exchange, 1)
	p := startProxy(t, app, func(c *Config) { c.Watcher = watchAll(heard) })
	for size := strings.Index(chunkedUpload, "\r\n\r\n") + 4; size < len(chunkedUpload); size++ {
		client := dial(t, p)
		client.send(chunkedUpload[:size])
		client.CloseWrite()
		client.rest()
		equal(t, "status", receive(t, "exchange", heard).Status, 0)
	}
	app.Close()
	app.wait.Wait() // every request that got so far has broken off there too
	close(got)
	for body := range got {
		if strings.Contains(body, "\r\n0\r\n") {
			t.Errorf("the app took %q for whole", body)
		}
	}
}
