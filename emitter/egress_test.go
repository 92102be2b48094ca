package emitter

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sidehook/sidehook/rules"
)

func TestNoConnectionGoesWhereItIsNotAllowed(t *testing.T) {
	server := newRawReceiver(t, says(ok))
	_, port, _ := strings.Cut(strings.TrimPrefix(server.url, "http://"), ":")
	// All of these are this machine, where they are anything at all.
	for _, host := range []string{
		"127.0.0.1", "localhost", "LOCALHOST.", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0.0.0.0", "0",
		"[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[::1%25lo]", "127.0.0.1.",
	} {
		target := targetAt(t, "http://"+host+":"+port)
		target.Allow = rules.Allowed{{Class: rules.Private}, {Class: rules.LinkLocal}}
		if result := send(senderFor(t, target)); result.Outcome == Delivered {
			t.Errorf("%s: result is %+v", host, result)
		}
	}
	if n := server.seen(); n != 0 {
		t.Errorf("%d requests arrived", n)
	}
}

func TestARefusalSaysWhatToAllow(t *testing.T) {
	f := func(address, class string) {
		t.Helper()
		target := targetAt(t, "http://"+address)
		want := "refused to connect to a " + class + " address: if that is right, add " + class + " to allow"
		if got := send(senderFor(t, target)); got.Outcome != Ours || got.Reason != want {
			t.Errorf("%s: result is %+v, want %q", address, got, want)
		}
	}
	f("169.254.169.254", "metadata")
	f("169.254.1.1", "link-local")
	f("[fe80::1%25eth0]", "link-local")
	f("0.0.0.0", "unspecified")
	f("224.0.0.1", "multicast")
	f("255.255.255.255", "reserved")
	f("[64:ff9b::a9fe:a9fe]", "reserved")
	f("[2002:7f00:1::]", "reserved")
}

func TestAnAddressIsJudgedWhenItIsDialled(t *testing.T) {
	server := newRawReceiver(t, saysAndCloses("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"))
	f := func(answers [][]string, want ...Outcome) {
		t.Helper()
		sender := senderFor(t, targetAt(t, server.url))
		sender.url.Host = "crm.sidehook.test:" + sender.url.Port()
		dialer := newDialer(sender.connections.options.Target.Allow)
		dialer.Resolver = resolverOf(newNameServer(t, answers))
		sender.connections.current.DialContext = dialer.DialContext
		for i, outcome := range want {
			if got := send(sender); got.Outcome != outcome {
				t.Errorf("%v: attempt %d is %+v, want %s", answers, i+1, got, outcome)
			}
		}
	}
	// the name leads elsewhere by the second attempt
	f([][]string{{"127.0.0.1"}, {"169.254.169.254"}, {"127.0.0.1"}}, Delivered, Ours, Delivered)
	// one of its addresses will do
	f([][]string{{"169.254.169.254", "127.0.0.1"}}, Delivered)
	f([][]string{{"169.254.169.254", "169.254.170.2"}}, Ours)
}

func TestATargetsOwnProxyIsUsed(t *testing.T) {
	proxy := newProxy(t, http.StatusOK)
	plain := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer plain.Close()
	own := newAuthority(t)
	secure := newTLSReceiver(t, &tls.Config{Certificates: []tls.Certificate{own.issue("localhost", time.Now().Add(time.Hour))}})
	f := func(address, want string) {
		t.Helper()
		target := targetAt(t, address)
		target.TLS.CA = own.file
		target.Proxy = proxyAt(t, strings.Replace(proxy.URL, "//", "//user:pass@", 1))
		if result := send(senderFor(t, target)); result.Outcome != Delivered {
			t.Errorf("%s: result is %+v", address, result)
		}
		if got := proxy.last.Load(); got == nil || *got != want {
			t.Errorf("%s: the proxy got %v, want %q", address, got, want)
		}
	}
	f(plain.URL, "POST "+plain.URL+"/ Basic dXNlcjpwYXNz")
	f(secure.URL, "CONNECT "+strings.TrimPrefix(secure.URL, "https://")+" Basic dXNlcjpwYXNz")
}

func TestAProxyMaySpeakSOCKS(t *testing.T) {
	server := newRawReceiver(t, says(ok))
	target := targetAt(t, server.url)
	target.Proxy = proxyAt(t, "socks5://"+newSOCKSProxy(t))
	if result := send(senderFor(t, target)); result.Outcome != Delivered || server.seen() != 1 {
		t.Errorf("result is %+v, and %d requests arrived", result, server.seen())
	}
	target.Proxy = proxyAt(t, "socks5://"+closedPort(t))
	if result := send(senderFor(t, target)); result.Outcome != Ours || result.Reason != "proxy unreachable" {
		t.Errorf("without it the result is %+v", result)
	}
}

func TestTheProxysOwnTroubleIsOurs(t *testing.T) {
	f := func(address string, status int, want Outcome, reason string) {
		t.Helper()
		target := targetAt(t, address)
		target.Proxy = proxyAt(t, newProxy(t, status).URL)
		if got := send(senderFor(t, target)); got.Outcome != want || got.Reason != reason {
			t.Errorf("%d for %s: result is %+v, want %s %q", status, address, got, want, reason)
		}
	}
	f("https://crm.sidehook.test", 407, Ours, "refused by the proxy: status 407")
	f("https://crm.sidehook.test", 403, Ours, "refused by the proxy: status 403")
	f("https://crm.sidehook.test", 502, Retry, "not reached by the proxy: status 502")
	f("http://crm.sidehook.test", 407, Ours, "refused by the proxy: status 407")
	f("http://crm.sidehook.test", 502, Retry, "status 502")

	target := targetAt(t, newRawReceiver(t, says("HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n")).url)
	target.Proxy.Straight = true
	if got := send(senderFor(t, target)); got.Outcome != Rejected {
		t.Errorf("a target that says 407 by itself: result is %+v", got)
	}
}

func TestTheAddressOfAProxyIsJudgedToo(t *testing.T) {
	proxy := newProxy(t, http.StatusOK)
	target := targetAt(t, "https://crm.sidehook.test")
	target.Proxy, target.Allow = proxyAt(t, proxy.URL), nil
	if got := send(senderFor(t, target)); got.Outcome != Ours || !strings.Contains(got.Reason, "loopback") {
		t.Errorf("result is %+v", got)
	}
	if got := proxy.last.Load(); got != nil {
		t.Errorf("the proxy got %s", *got)
	}
}

// The environment is read once in a process, so this test runs again in one of its own.
func TestTheProxyOfTheEnvironmentIsUsedUnlessTheTargetSaysOtherwise(t *testing.T) {
	const child = "SIDEHOOK_TEST_PROXY"
	if os.Getenv(child) != "" {
		target := targetAt(t, "http://crm.sidehook.test")
		if result := send(senderFor(t, target)); result.Outcome != Delivered {
			t.Errorf("by the environment the result is %+v", result)
		}
		target.Proxy.Straight = true
		sender := senderFor(t, target)
		resolveBy(sender, closedPort(t))
		if result := send(sender); result.Reason != "resolver unreachable" {
			t.Errorf("straight the result is %+v", result)
		}
		return
	}
	proxy := newProxy(t, http.StatusOK)
	command := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	command.Env = append(os.Environ(), child+"=1", "HTTP_PROXY="+proxy.URL, "http_proxy=", "NO_PROXY=", "no_proxy=")
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	if got := proxy.last.Load(); got == nil || *got != "POST http://crm.sidehook.test/ " {
		t.Errorf("the proxy got %v", got)
	}
}

// testProxy answers requests by itself, and opens tunnels where its status is 200.
type testProxy struct {
	*httptest.Server
	// last is the last request: its method, URI and credentials.
	last atomic.Pointer[string]
}

func newProxy(t *testing.T, status int) *testProxy {
	t.Helper()
	p := &testProxy{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen := r.Method + " " + r.RequestURI + " " + r.Header.Get("Proxy-Authorization")
		p.last.Store(&seen)
		w.WriteHeader(status)
		if r.Method == http.MethodConnect && status == http.StatusOK {
			tunnel(w, r.Host)
		}
	}))
	t.Cleanup(p.Close)
	return p
}

// tunnel relays both ways until one end closes.
func tunnel(w http.ResponseWriter, address string) {
	to, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer to.Close()
	from, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer from.Close()
	_ = buffered.Flush()
	var relaying sync.WaitGroup
	relaying.Go(func() { _, _ = io.Copy(to, buffered); _ = to.Close() })
	_, _ = io.Copy(from, to)
	_ = from.Close()
	relaying.Wait()
}

// newSOCKSProxy opens tunnels to IPv4 addresses for everybody (RFC 1928).
func newSOCKSProxy(t *testing.T) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	open := &openConns{}
	t.Cleanup(func() { _ = listener.Close(); open.closeAll(); serving.Wait() })
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			open.add(conn)
			serving.Go(func() { serveSOCKS(conn) })
		}
	})
	return listener.Addr().String()
}

func serveSOCKS(conn net.Conn) {
	defer conn.Close()
	hello, request := make([]byte, 3), make([]byte, 10)
	_, _ = io.ReadFull(conn, hello) // one method, no authentication
	_, _ = conn.Write([]byte{5, 0})
	if _, err := io.ReadFull(conn, request); err != nil || request[3] != 1 {
		return
	}
	to, err := net.DialTCP("tcp", nil, &net.TCPAddr{IP: request[4:8], Port: int(request[8])<<8 | int(request[9])})
	if err != nil {
		return
	}
	defer to.Close()
	_, _ = conn.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
	var relaying sync.WaitGroup
	relaying.Go(func() { _, _ = io.Copy(to, conn); _ = to.Close() })
	_, _ = io.Copy(conn, to)
	_ = conn.Close()
	relaying.Wait()
}

func proxyAt(t *testing.T, address string) (proxy rules.Proxy) {
	t.Helper()
	if err := proxy.UnmarshalText([]byte(address)); err != nil {
		t.Fatal(err)
	}
	return proxy
}

// newNameServer gives a name these IPv4 addresses, other ones at each lookup.
func newNameServer(t *testing.T, answers [][]string) (address string) {
	t.Helper()
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	t.Cleanup(func() { _ = server.Close(); serving.Wait() })
	serving.Go(func() {
		message := make([]byte, 512)
		for {
			n, from, err := server.ReadFrom(message)
			if err != nil {
				return
			}
			var addresses []string
			if isA := message[questionEnd(message[:n])-3] == 1; isA && len(answers) > 0 {
				addresses, answers = answers[0], answers[1:]
			}
			_, _ = server.WriteTo(dnsAnswer(message[:n], addresses), from)
		}
	})
	return server.LocalAddr().String()
}

// dnsAnswer is the answer to a question with A records that nobody may keep (RFC 1035 section 4).
func dnsAnswer(question []byte, addresses []string) []byte {
	answer := append([]byte{}, question[:questionEnd(question)]...)
	answer[2], answer[3] = 0x81, 0x80
	answer[7], answer[11] = byte(len(addresses)), 0
	for _, address := range addresses {
		answer = append(answer, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4)
		answer = append(answer, netip.MustParseAddr(address).AsSlice()...)
	}
	return answer
}

// questionEnd is where the one question of a message ends.
func questionEnd(message []byte) int {
	end := 12
	for message[end] != 0 {
		end += int(message[end]) + 1
	}
	return end + 5
}

// resolverOf asks a name server on loopback.
func resolverOf(server string) *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, server)
	}}
}
