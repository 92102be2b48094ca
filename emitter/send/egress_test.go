package send

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/sidehook/sidehook/rules/config"
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
		target.Allow = config.Allowed{{Class: config.Private}, {Class: config.LinkLocal}}
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
