package proxy

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/sidehook/sidehook/rules/config"
)

// proxyBlock returns a header of version 2.
func proxyBlock(command, family byte, block ...byte) string {
	header := append([]byte(proxySignature), 0x20|command, family)
	return string(append(binary.BigEndian.AppendUint16(header, uint16(len(block))), block...))
}

var (
	proxied4  = proxyBlock(1, 0x11, 192, 0, 2, 7, 10, 0, 0, 1, 0x12, 0x34, 0, 80)
	proxied6  = proxyBlock(1, 0x21, slices.Concat(netip.MustParseAddr("2001:db8::7").AsSlice(), make([]byte, 16), []byte{0x12, 0x34, 0, 80})...)
	extension = []byte{4, 0, 3, 'a', 'b', 'c'} // of the type NOOP
)

func TestAProxyHeaderHasTheAddressOfTheParticipant(t *testing.T) {
	f := func(header, want string) {
		t.Helper()
		const request = "GET / HTTP/1.1\r\n"
		for name, r := range map[string]io.Reader{
			"at once": strings.NewReader(header + request), "byte by byte": iotest.OneByteReader(strings.NewReader(header + request)),
		} {
			got, err := readProxyHeader(r)
			if err != nil || got.IsValid() != (want != "") || want != "" && got.String() != want {
				t.Errorf("%q %s: %v, %v; want %s", header, name, got, err, want)
			}
			rest, _ := io.ReadAll(r)
			equal(t, "the rest", string(rest), request)
		}
	}
	f("PROXY TCP4 192.0.2.7 10.0.0.1 4660 80\r\n", "192.0.2.7:4660")
	f("PROXY TCP6 2001:db8::7 ::1 4660 80\r\n", "[2001:db8::7]:4660")
	f("PROXY UNKNOWN\r\n", "")
	f("PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n", "")
	f(proxied4, "192.0.2.7:4660")
	f(proxied6, "[2001:db8::7]:4660")
	f(proxyBlock(1, 0x11, append([]byte(proxied4[16:]), extension...)...), "192.0.2.7:4660")
	f(proxyBlock(0, 0), "")
	f(proxyBlock(0, 0x11, []byte(proxied4[16:])...), "")
	f(proxyBlock(1, 0, extension...), "")
	f(proxyBlock(1, 0x31, make([]byte, 216)...), "")
}

func TestAMalformedProxyHeaderIsRefused(t *testing.T) {
	f := func(header string, want error) {
		t.Helper()
		if got, err := readProxyHeader(strings.NewReader(header)); !errors.Is(err, want) {
			t.Errorf("%q: %v, %v; want %v", header, got, err, want)
		}
	}
	f("GET / HTTP/1.1\r\nHost: h\r\n\r\n", errNoProxyHeader)
	f("x", errNoProxyHeader)
	f("proxy TCP4 192.0.2.7 10.0.0.1 1 80\r\n", errNoProxyHeader)
	f("", io.EOF)
	f("PRO", io.ErrUnexpectedEOF)
	f("PROXY TCP4 192.0.2.7", io.EOF)
	f(proxied4[:14], io.ErrUnexpectedEOF)
	f(proxied4[:20], io.ErrUnexpectedEOF)
	for _, bad := range []string{
		"PROXY TCP4 192.0.2.7 10.0.0.1 1\r\n", "PROXY TCP4 192.0.2.7 10.0.0.1 1 80 \r\n", "PROXY TCP5 192.0.2.7 10.0.0.1 1 80\r\n",
		"PROXY TCP4 2001:db8::7 ::1 1 80\r\n", "PROXY TCP6 192.0.2.7 10.0.0.1 1 80\r\n", "PROXY TCP6 fe80::1%eth0 ::1 1 80\r\n",
		"PROXY TCP4 192.0.2.300 10.0.0.1 1 80\r\n", "PROXY TCP4 192.0.2.7 10.0.0.1 65536 80\r\n", "PROXY TCP4 192.0.2.7 10.0.0.1 -1 80\r\n",
		"PROXY  TCP4 192.0.2.7 10.0.0.1 1 80\r\n", "PROXY TCP4 192.0.2.7 10.0.0.1 1 80" + strings.Repeat("0", 107) + "\r\n", "PROXY " + strings.Repeat("x", 200),
		proxyBlock(2, 0x11, []byte(proxied4[16:])...), proxyBlock(1, 0x11, 1, 2, 3), proxyBlock(1, 0x21, []byte(proxied4[16:])...),
		proxyBlock(1, 0x11, make([]byte, proxyBlockLimit+1)...), strings.Replace(proxied4, "\x21\x11", "\x11\x11", 1),
	} {
		f(bad, errMalformedProxyHeader)
	}
}

func FuzzProxyHeader(f *testing.F) {
	for _, header := range []string{proxied4, proxied6, "PROXY TCP4 192.0.2.7 10.0.0.1 1 80\r\n", "PROXY UNKNOWN\r\n"} {
		f.Add([]byte(header))
	}
	f.Fuzz(func(t *testing.T, header []byte) {
		r := bytes.NewReader(header)
		_, _ = readProxyHeader(r)
		if n := len(header) - r.Len(); n > len(proxySignature)+4+proxyBlockLimit {
			t.Errorf("%d bytes were read", n)
		}
	})
}

func TestTheAddressOfAProxyHeaderIsTheParticipants(t *testing.T) {
	heads := make(chan string, 1)
	app := startApp(t, func(w *testConn) {
		for head := w.readHead(); head != ""; head = w.readHead() {
			heads <- head
			w.send(okResponse)
		}
	})
	const request = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
	f := func(name, trusted, sent, want string) {
		t.Run(name, func(t *testing.T) {
			p := startProxy(t, app, func(c *Config) {
				c.ProxyProtocol, c.TrustedProxies, c.Forwarded = true, networks(trusted), config.ForwardedReplace
			})
			client := dial(t, p)
			client.send(sent)
			if want == "" {
				client.expectEnd()
				return
			}
			for i := range 2 {
				if i > 0 {
					client.send(request)
				}
				equal(t, "response", client.readN(len(okResponse)), okResponse)
				equal(t, "head", receive(t, "head", heads), strings.TrimSuffix(request, "\r\n")+"X-Forwarded-For: "+want+"\r\n\r\n")
			}
		})
	}
	f("version 1", "127.0.0.1/32", "PROXY TCP4 192.0.2.7 10.0.0.1 1 80\r\n"+request, "192.0.2.7")
	f("version 2", "127.0.0.1/32", proxied6+request, "2001:db8::7")
	f("from somebody else", "192.0.2.1/32", request, "127.0.0.1")
	f("no header", "127.0.0.1/32", request, "")
	f("a malformed one", "127.0.0.1/32", "PROXY TCP4 1 2 3 4\r\n"+request, "")
}

func TestAProxyHeaderFromSomebodyElseIsNoRequest(t *testing.T) {
	p := startProxy(t, startApp(t, respondWith(okResponse)), func(c *Config) {
		c.ProxyProtocol, c.TrustedProxies = true, networks("192.0.2.1/32")
	})
	client := dial(t, p)
	client.send("PROXY TCP4 192.0.2.7 10.0.0.1 1 80\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n")
	if got, _ := client.readAll(); !strings.HasPrefix(got, "HTTP/1.1 400 ") {
		t.Errorf("got %q, want 400", got)
	}
}
