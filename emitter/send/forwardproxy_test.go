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
)

func TestATargetsOwnForwardProxyIsUsed(t *testing.T) {
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
		if result := send(newSender(t, target)); result.Outcome != Delivered {
			t.Errorf("%s: result is %+v", address, result)
		}
		if got := proxy.last.Load(); got == nil || *got != want {
			t.Errorf("%s: the proxy got %v, want %q", address, got, want)
		}
	}
	f(plain.URL, "POST "+plain.URL+"/ Basic dXNlcjpwYXNz")
	f(secure.URL, "CONNECT "+strings.TrimPrefix(secure.URL, "https://")+" Basic dXNlcjpwYXNz")
}

func TestSOCKSProxiesWork(t *testing.T) {
	server := newRawReceiver(t, respond(ok))
	target := targetAt(t, server.url)
	target.Proxy = proxyAt(t, "socks5://"+newSOCKSProxy(t))
	if result := send(newSender(t, target)); result.Outcome != Delivered || server.count() != 1 {
		t.Errorf("result is %+v, and %d requests arrived", result, server.count())
	}
	target.Proxy = proxyAt(t, "socks5://"+closedPort(t))
	if result := send(newSender(t, target)); result.Outcome != Ours || result.Reason != "proxy unreachable" {
		t.Errorf("without it the result is %+v", result)
	}
}

func TestFailuresOfTheForwardProxyAreOurOwn(t *testing.T) {
	f := func(address string, status int, want Outcome, reason string) {
		t.Helper()
		target := targetAt(t, address)
		target.Proxy = proxyAt(t, newProxy(t, status).URL)
		if got := send(newSender(t, target)); got.Outcome != want || got.Reason != reason {
			t.Errorf("%d for %s: result is %+v, want %s %q", status, address, got, want, reason)
		}
	}
	f("https://crm.sidehook.test", 407, Ours, "refused by the proxy: status 407")
	f("https://crm.sidehook.test", 403, Ours, "refused by the proxy: status 403")
	f("https://crm.sidehook.test", 502, Retry, "not reached by the proxy: status 502")
	f("http://crm.sidehook.test", 407, Ours, "refused by the proxy: status 407")
	f("http://crm.sidehook.test", 502, Retry, "status 502")

	target := targetAt(t, newRawReceiver(t, respond("HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n")).url)
	target.Proxy.Straight = true
	if got := send(newSender(t, target)); got.Outcome != Retry {
		t.Errorf("a target that respond 407 by itself: result is %+v", got)
	}
}

func TestTheAddressOfAForwardProxyIsCheckedToo(t *testing.T) {
	proxy := newProxy(t, http.StatusOK)
	target := targetAt(t, "https://crm.sidehook.test")
	target.Proxy, target.Allow = proxyAt(t, proxy.URL), nil
	if got := send(newSender(t, target)); got.Outcome != Ours || !strings.Contains(got.Reason, "loopback") {
		t.Errorf("result is %+v", got)
	}
	if got := proxy.last.Load(); got != nil {
		t.Errorf("the proxy got %s", *got)
	}
}

// The environment is read once in a process, so this test runs again in one of its own.
func TestTheProxyOfTheEnvironmentIsUsedUnlessTheTargetHasItsOwn(t *testing.T) {
	const child = "SIDEHOOK_TEST_PROXY"
	if os.Getenv(child) != "" {
		target := targetAt(t, "http://crm.sidehook.test")
		if result := send(newSender(t, target)); result.Outcome != Delivered {
			t.Errorf("by the environment the result is %+v", result)
		}
		target.Proxy.Straight = true
		sender := newSender(t, target)
		resolveWith(sender, closedPort(t))
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
