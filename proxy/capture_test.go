package proxy

import (
	"bytes"
	"compress/flate"
	"fmt"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"github.com/sidehook/sidehook/rules"
)

func TestCompressedBodiesAreDecodedInTheCopyOnly(t *testing.T) {
	exchanges := make(chan rules.Exchange, 1)
	plain := []byte(pattern(5000))
	f := func(coding string, packed []byte, want []byte, why string) {
		t.Run(coding, func(t *testing.T) {
			response := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\nContent-Length: %d\r\n\r\n%s", coding, len(packed), packed)
			app := startApp(t, func(w *testConn) {
				if head := w.readHead(); !strings.Contains(head, "Accept-Encoding: gzip, br\r\n") {
					t.Errorf("Accept-Encoding was changed: %q", head)
				}
				w.readN(len(packed))
				w.send(response)
			})
			client := dial(t, startProxy(t, app, func(c *Config) { c.Watcher, c.InspectLimit = watchAll(exchanges), 6000 }))
			client.send(fmt.Sprintf("POST / HTTP/1.1\r\nHost: h\r\nAccept-Encoding: gzip, br\r\nContent-Encoding: %s\r\nContent-Length: %d\r\n\r\n%s",
				coding, len(packed), packed))
			equal(t, "response", client.readN(len(response)), response)
			x := receive(t, "exchange", exchanges)
			equal(t, "request", string(x.RequestBody), string(want))
			equal(t, "response", string(x.ResponseBody), string(want))
			equal(t, "request lacks", x.LacksRequest, why)
			equal(t, "response lacks", x.LacksResponse, why)
			equal(t, "status", x.Status, 200)
		})
	}
	bomb := bytes.Repeat([]byte("0"), 1<<20)
	f("gzip", fasthttp.AppendGzipBytes(nil, plain), plain, "")
	f("GZIP", fasthttp.AppendGzipBytes(nil, plain), plain, "")
	f("deflate", fasthttp.AppendDeflateBytes(nil, plain), plain, "")
	f("x-gzip", fasthttp.AppendGzipBytes(nil, plain), plain, "")
	f("gzip", append(fasthttp.AppendGzipBytes(nil, plain), 0, 0, 0), plain, "")
	f("gzip", append(fasthttp.AppendGzipBytes(nil, plain), "behind"...), plain, "")
	f("gzip", append(fasthttp.AppendGzipBytes(nil, plain[:100]), fasthttp.AppendGzipBytes(nil, plain[100:])...), plain, "")
	f("deflate", rawDeflate(plain), plain, "")
	f("deflate", []byte("no deflate"), nil, undecodable)
	f("br", fasthttp.AppendBrotliBytes(nil, plain), plain, "")
	f("zstd", fasthttp.AppendZstdBytes(nil, plain), plain, "")
	f("identity", plain, plain, "")
	f("gzip", fasthttp.AppendGzipBytes(nil, bomb), nil, tooLarge)
	f("br", fasthttp.AppendBrotliBytes(nil, bomb), nil, tooLarge)
	f("zstd", fasthttp.AppendZstdBytes(nil, bomb), nil, tooLarge)
	f("gzip", []byte("no gzip"), nil, undecodable)
	f("gzip", fasthttp.AppendGzipBytes(nil, plain)[:100], nil, undecodable)
	f("gzip, br", plain, nil, undecodable)
	f("compress", plain, nil, undecodable)
}

// rawDeflate compresses without the header of zlib, as some servers do.
func rawDeflate(plain []byte) []byte {
	var packed bytes.Buffer
	w, _ := flate.NewWriter(&packed, flate.BestSpeed)
	w.Write(plain)
	w.Close()
	return packed.Bytes()
}

func TestSeveralContentCodingsAreNotDecoded(t *testing.T) {
	exchanges := make(chan rules.Exchange, 1)
	app := startApp(t, respondWith("HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx"))
	p := startProxy(t, app, func(c *Config) { c.Watcher = watchAll(exchanges) })
	client := dial(t, p)
	client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	equal(t, "uninspected", receive(t, "exchange", exchanges).LacksResponse, undecodable)
	equal(t, "undecodable", p.Stats().Undecodable, 1)
}

func TestBodyBeyondTheLimitIsRelayedButNotInspected(t *testing.T) {
	exchanges := make(chan rules.Exchange, 1)
	body := pattern(100 << 10)
	response := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	app := startApp(t, func(w *testConn) {
		w.readHead()
		w.readN(10)
		w.send(response)
	})
	f := func(limit int, why string, wantLength int) {
		t.Helper()
		p := startProxy(t, app, func(c *Config) { c.Watcher, c.InspectLimit = watchAll(exchanges), limit })
		client := dial(t, p)
		client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n0123456789")
		equal(t, "response", client.readN(len(response)), response)
		x := receive(t, "exchange", exchanges)
		equal(t, "response lacks", x.LacksResponse, why)
		equal(t, "body", len(x.ResponseBody), wantLength)
		equal(t, "status", x.Status, 200)
	}
	f(len(body), "", len(body))
	f(len(body)-1, tooLarge, 0)
	f(9, tooLarge, 0)
}
