package proxy

import (
	"bufio"
	"bytes"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/sidehook/sidehook/rules/config"
)

// networks returns a list as of a configuration; an empty one trusts nobody.
func networks(texts ...string) []config.Network {
	list := []config.Network{}
	for _, text := range texts {
		list = append(list, config.Network{Prefix: netip.MustParsePrefix(text)})
	}
	return list
}

// startForwardingProxy starts a proxy, and returns the fields of each request as the
// app receives them.
func startForwardingProxy(t *testing.T, change func(*Config)) (*Proxy, <-chan string) {
	fields := make(chan string, 1)
	app := startApp(t, func(w *testConn) {
		for head := w.readHead(); head != ""; head = w.readHead() {
			_, rest, _ := strings.Cut(head, "\r\n")
			fields <- strings.TrimSuffix(rest, "\r\n")
			w.send(okResponse)
		}
	})
	return startProxy(t, app, change), fields
}

func TestForwardedFieldsFollowThePolicy(t *testing.T) {
	const (
		plain  = "Host: h\r\nAccept: a\r\n"
		forged = "x-forwarded-FOR:  1.2.3.4 , 5.6.7.8\t\r\nHost: H\r\nX-Forwarded-Proto: https\r\nB:2\r\nX-Forwarded-For: ::1\r\n" +
			"Forwarded: for=1.2.3.4\r\na: 1\r\nX-Real-IP: 1.2.3.4\r\nX_Forwarded_For: 1\r\nX-Forwarded-Host: evil\r\nForward: x\r\n"
		added    = "X-Forwarded-For: 127.0.0.1\r\n"
		stripped = "Host: H\r\nB:2\r\na: 1\r\nForward: x\r\n"
	)
	appended := strings.Replace(forged, "For: ::1", "For: ::1, 127.0.0.1", 1)
	us, them := networks("10.0.0.0/8", "127.0.0.0/8"), networks("10.0.0.0/8", "::/0")

	f := func(name string, way config.Forwarded, trusted []config.Network, sent, want string) {
		t.Run(name, func(t *testing.T) {
			p, fields := startForwardingProxy(t, func(c *Config) { c.Forwarded, c.TrustedProxies = way, trusted })
			client := dial(t, p)
			for range 2 { // on one connection
				client.send("GET / HTTP/1.1\r\n" + sent + "\r\n")
				equal(t, "fields", receive(t, "request", fields), want)
				equal(t, "response", client.readN(len(okResponse)), okResponse)
			}
			client.send("GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" + sent + "\r\n")
			equal(t, "fields of an upgrade", receive(t, "upgrade", fields), "Connection: Upgrade\r\nUpgrade: websocket\r\n"+want)
		})
	}
	f("by default everything passes", "", nil, forged, forged)
	f("by default nothing is added", "", nil, plain, plain)
	f("preserve lets everything pass", config.ForwardedPreserve, nil, forged, forged)
	f("preserve of a trusted proxy", config.ForwardedPreserve, us, forged, forged)
	f("preserve drops the fields of others", config.ForwardedPreserve, them, forged, stripped)
	f("preserve adds nothing to others", config.ForwardedPreserve, them, plain, plain)
	f("preserve where nobody is trusted", config.ForwardedPreserve, networks(), forged, stripped)

	f("append to nothing", config.ForwardedAppend, nil, plain, plain+added)
	f("append to the last line", config.ForwardedAppend, nil, forged, appended)
	f("append to an empty line", config.ForwardedAppend, nil, plain+"X-Forwarded-For:\r\n", plain+added)
	f("append to a trusted proxy", config.ForwardedAppend, us, forged, appended)
	f("append instead of the fields of others", config.ForwardedAppend, them, forged, stripped+added)

	f("replace nothing", config.ForwardedReplace, nil, plain, plain+added)
	f("replace the fields of anybody", config.ForwardedReplace, nil, forged, stripped+added)
	f("replace leaves a trusted proxy alone", config.ForwardedReplace, us, forged, forged)
	f("replace the fields of others", config.ForwardedReplace, them, forged, stripped+added)
}

func TestConnectionOptionsCannotRemoveTheForwardedAddress(t *testing.T) {
	f := func(way config.Forwarded) {
		t.Helper()
		p, fields := startForwardingProxy(t, func(c *Config) { c.Forwarded = way })
		dial(t, p).send("GET / HTTP/1.1\r\nHost: h\r\nConnection: X-Forwarded-For\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n")
		equal(t, "fields", receive(t, "request", fields), "Host: h\r\nX-Forwarded-For: 127.0.0.1\r\n")
	}
	f(config.ForwardedAppend)
	f(config.ForwardedReplace)
}

func TestIPv6PeerIsForwardedWithoutBrackets(t *testing.T) {
	p, fields := startForwardingProxy(t, func(c *Config) {
		c.Listen, c.Forwarded, c.TrustedProxies = "[::1]:0", config.ForwardedAppend, networks("::1/128")
	})
	dial(t, p).send("GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n")
	equal(t, "fields", receive(t, "request", fields), "Host: h\r\nX-Forwarded-For: 1.2.3.4, ::1\r\n")
}

func TestTrustedProxiesAreMatchedByAddress(t *testing.T) {
	f := func(address net.Addr, want bool, wantPeer string) {
		t.Helper()
		forwarding := forwarding{config.ForwardedAppend, networks("10.0.0.0/8", "fe80::/10", "::/1")}
		got := forwarding.of(address)
		if got.drops == want || got.peer.IsValid() != (wantPeer != "") || got.peer.IsValid() && got.peer.String() != wantPeer {
			t.Errorf("%v: got %+v; want trusted %v, peer %s", address, got, want, wantPeer)
		}
	}
	tcp := func(ip, zone string) *net.TCPAddr { return &net.TCPAddr{IP: net.ParseIP(ip), Port: 1, Zone: zone} }
	f(tcp("10.1.2.3", ""), true, "10.1.2.3")
	f(tcp("::ffff:10.1.2.3", ""), true, "10.1.2.3") // as from a dual-stack listener
	f(tcp("11.1.2.3", ""), false, "11.1.2.3")
	f(tcp("fe80::1", "eth0"), true, "fe80::1")
	f(tcp("2001:db8::1", ""), true, "2001:db8::1")
	f(tcp("fd00::1", ""), false, "fd00::1")
	f(&net.TCPAddr{}, false, "")
	f((*net.TCPAddr)(nil), false, "")
	f(&net.UnixAddr{Name: "@"}, false, "")
	f(nil, false, "")
}

func TestSpoofableForwardingIsLoggedOnceAtStart(t *testing.T) {
	f := func(listen string, way config.Forwarded, trusted []config.Network, want int) {
		t.Helper()
		var logs bytes.Buffer
		p, err := New(Config{
			Listen: listen, App: "unix:/none", Forwarded: way, TrustedProxies: trusted,
			Logger: slog.New(slog.NewTextHandler(&logs, nil)),
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Listen(); err != nil {
			t.Fatal(err)
		}
		p.listener.Close()
		if got := strings.Count(logs.String(), "trusted_proxies"); got != want {
			t.Errorf("%s at %s, %v: logged %d times, want %d: %s", way, listen, trusted, got, want, &logs)
		}
	}
	f(":0", "", nil, 1)
	f(":0", config.ForwardedPreserve, nil, 1)
	f(":0", config.ForwardedAppend, nil, 1)
	f(":0", config.ForwardedReplace, nil, 0)
	f(":0", config.ForwardedPreserve, networks(), 0)
	f(":0", config.ForwardedPreserve, networks("0.0.0.0/0", "::/0"), 0)
	f("127.0.0.1:0", config.ForwardedPreserve, nil, 0) // local clients could forge them without the proxy, too
}

func TestForwardedFieldsAreWrittenWithoutAllocating(t *testing.T) {
	raw := []byte("Host: h\r\nX-Forwarded-For: 1.2.3.4\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n")
	client := &net.TCPAddr{IP: net.ParseIP("2001:db8::1")}
	out := bufio.NewWriter(io.Discard)
	for _, trusted := range [][]config.Network{nil, networks("10.0.0.0/8"), networks("10.0.0.0/8", "::/0")} {
		forwarding := forwarding{config.ForwardedAppend, trusted}
		if got := testing.AllocsPerRun(100, func() {
			head := requestHead{method: raw[:1], target: raw[:1], raw: raw, hasHost: true}
			head.forwarded = forwarding.of(client)
			head.write(out, false)
		}); got > 0 {
			t.Errorf("trusting %v: %v allocations", trusted, got)
		}
	}
}
