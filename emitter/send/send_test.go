package send

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sidehook/sidehook/rules/config"
)

const (
	ok    = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
	chunk = "100\r\n" + "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" +
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" +
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" +
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" + "\r\n"
)

func TestADeliveryIsASignedPost(t *testing.T) {
	var got *http.Request
	var body []byte
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
	}))
	defer server.Close()

	target := targetAt(t, server.URL+"/hooks/survey?team=7")
	target.Headers = headers("x-environment", "production")
	result := send(newSender(t, target))

	if result.Outcome != Delivered || result.Status != 200 || result.Reason != "" || result.Duration <= 0 {
		t.Fatalf("result is %+v", result)
	}
	if got.Method != "POST" || got.RequestURI != "/hooks/survey?team=7" || string(body) != string(newDelivery().Body) {
		t.Errorf("got %s %s %s", got.Method, got.RequestURI, body)
	}
	if err := verifier(t, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").VerifyIgnoringTimestamp(body, got.Header); err != nil {
		t.Error(err)
	}
	got.Header.Del("Webhook-Signature")
	want := http.Header{
		"Content-Length":    {"61"},
		"Content-Type":      {"application/json"},
		"Traceparent":       {newDelivery().Traceparent},
		"User-Agent":        {"sidehook/1.2.3"},
		"Webhook-Id":        {"msg_5gk3"},
		"Webhook-Timestamp": {"1795468936"},
		"X-Environment":     {"production"},
	}
	if diff := cmp.Diff(want, got.Header); diff != "" {
		t.Error("headers differ (-want +got):", diff)
	}
}

func TestFormatDecsysIsSentAsDecsysSendsIt(t *testing.T) {
	var got http.Header
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header }))
	defer server.Close()

	target := targetAt(t, server.URL)
	target.Format = config.FormatDecsys
	target.Secret = config.Secrets{config.NewSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), config.NewSecret("old")}
	send(newSender(t, target))

	wantText := signer{decsys: []byte("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")}.decsysHeader(newDelivery().Body)
	if got.Get("X-Decsys-Signature") != wantText {
		t.Errorf("X-Decsys-Signature is %s, want %s", got.Get("X-Decsys-Signature"), wantText)
	}
	if n := len(strings.Fields(got.Get("Webhook-Signature"))); n != 2 {
		t.Errorf("%d signatures, want one of each secret", n)
	}
}

func TestConfiguredHeadersNeverReplaceOurs(t *testing.T) {
	var got http.Header
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header }))
	defer server.Close()

	target := targetAt(t, server.URL)
	target.Headers = headers("X-Own", "mine")
	for _, name := range []string{
		"content-type", "content-length", "host", "traceparent", "transfer-encoding", "user-agent",
		"webhook-id", "webhook-redelivery", "webhook-signature", "webhook-timestamp", "x-decsys-signature",
	} {
		target.Headers[name] = config.HeaderValue{Secret: config.NewSecret("999")}
	}
	delivery := newDelivery()
	delivery.Traceparent = ""
	if result := newSender(t, target).Send(context.Background(), delivery, sentAt); result.Outcome != Delivered {
		t.Fatalf("result is %+v", result)
	}
	for name, values := range got {
		if strings.Join(values, ",") == "999" {
			t.Errorf("%s has the configured value", name)
		}
	}
	if got.Get("X-Own") != "mine" {
		t.Error("the header that is not ours is missing")
	}
}

func TestHeadersGoOutWithTheLettersTheyAreWrittenWith(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	received := make(chan string, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		var raw strings.Builder
		request, err := http.ReadRequest(bufio.NewReader(io.TeeReader(conn, &raw)))
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, request.Body)
		_, _ = io.WriteString(conn, "HTTP/1.1 204 No Content\r\n\r\n")
		received <- raw.String()
	}()
	target := targetAt(t, "http://"+listener.Addr().String())
	target.Format = config.FormatDecsys
	target.Headers = headers("apikey", "1")
	target.Headers["SOAPAction"] = target.Headers["apikey"]
	if result := send(newSender(t, target)); result.Outcome != Delivered {
		t.Fatalf("result is %+v", result)
	}
	head := <-received
	for _, want := range []string{
		"apikey: 1", "SOAPAction: 1", "webhook-id: ", "webhook-timestamp: ", "webhook-signature: ",
		"traceparent: ", "Content-Type: ", "User-Agent: ", "X-Decsys-Signature: ",
	} {
		if !strings.Contains(head, "\r\n"+want) {
			t.Errorf("there is no %q in %s", want, head)
		}
	}
}

func TestARedeliveryDiffersInOneHeaderOnly(t *testing.T) {
	var got http.Header
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header }))
	defer server.Close()
	sender := newSender(t, targetAt(t, server.URL))
	send := func(redelivered bool) http.Header {
		delivery := newDelivery()
		delivery.Redelivered = redelivered
		if result := sender.Send(context.Background(), delivery, sentAt); result.Outcome != Delivered {
			t.Fatalf("result is %+v", result)
		}
		return got
	}
	want := send(false).Clone()
	want.Set("webhook-redelivery", "true")
	if diff := cmp.Diff(want, send(true)); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
}

func TestCredentialsOfTheURLAreBasicAuthentication(t *testing.T) {
	f := func(configured, want string) {
		t.Helper()
		var got http.Header
		server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header }))
		defer server.Close()
		target := targetAt(t, strings.Replace(server.URL, "//", "//us%20er:pass@", 1))
		if configured != "" {
			target.Headers = headers("authorization", configured)
		}
		send(newSender(t, target))
		if got.Get("Authorization") != want {
			t.Errorf("Authorization is %q, want %q", got.Get("Authorization"), want)
		}
	}
	f("", "Basic dXMgZXI6cGFzcw==")
	f("Bearer x", "Bearer x")
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	var followed atomic.Bool
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { followed.Store(true) }))
	defer elsewhere.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		server := httptest.NewServer(http.RedirectHandler(elsewhere.URL, status))
		if result := send(newSender(t, targetAt(t, server.URL))); result.Outcome != Retry || result.Status != status {
			t.Errorf("result is %+v", result)
		}
		server.Close()
	}
	if followed.Load() {
		t.Error("a redirect was followed")
	}
}

func TestRetryAfterIsInTheResult(t *testing.T) {
	f := func(head string, outcome Outcome, want time.Duration) {
		t.Helper()
		server := newRawReceiver(t, respond("HTTP/1.1 "+head+"\r\nContent-Length: 0\r\n\r\n"))
		got := send(newSender(t, targetAt(t, server.url)))
		if got.Outcome != outcome || got.RetryAfter != want {
			t.Errorf("%q: result is %+v, want %v", head, got, want)
		}
	}
	f("429 Slow\r\nRetry-After: 7", Throttled, 7*time.Second)
	f("503 Down\r\nRetry-After: 7", Retry, 7*time.Second)
	f("200 OK\r\nRetry-After: 7", Delivered, 0)
}

func TestARequestOnADeadIdleConnectionIsSentOnceMore(t *testing.T) {
	server := newRawReceiver(t, func(conn net.Conn, connection, request int) bool {
		if connection == 1 && request == 2 {
			return false // as if it had been closed while idle: the request is lost
		}
		return respond(ok)(conn, connection, request)
	})
	sender := newSender(t, targetAt(t, server.url))
	for range 2 {
		if result := send(sender); result.Outcome != Delivered {
			t.Fatalf("result is %+v", result)
		}
	}
	if server.count() != 3 {
		t.Errorf("the receiver saw %d requests, want 3", server.count())
	}
}

func TestAConnectionClosedByTheReceiverIsNoFailure(t *testing.T) {
	server := newRawReceiver(t, respondAndReset(ok))
	sender := newSender(t, targetAt(t, server.url))
	for range 50 {
		if result := send(sender); result.Outcome != Delivered {
			t.Fatalf("result is %+v", result)
		}
	}
}

func TestASecondDeadConnectionIsAFailure(t *testing.T) {
	dead := atomic.Bool{}
	server := newRawReceiver(t, func(conn net.Conn, connection, request int) bool {
		return !dead.Load() && respond(ok)(conn, connection, request)
	})
	sender := newSender(t, targetAt(t, server.url))
	send(sender)
	dead.Store(true)
	before := server.count()
	result := send(sender)
	if result.Outcome != Retry || result.Reason != "connection closed" {
		t.Errorf("result is %+v", result)
	}
	if n := server.count() - before; n != 2 {
		t.Errorf("the receiver saw %d requests, want 2", n)
	}
}

func TestARequestThatMayHaveArrivedIsNotRepeated(t *testing.T) {
	f := func(name string, warm bool, answer responder, wantReason string) {
		t.Helper()
		server := newRawReceiver(t, func(conn net.Conn, connection, request int) bool {
			if warm && request == 1 {
				return respond(ok)(conn, connection, request)
			}
			return answer(conn, connection, request)
		})
		target := targetAt(t, server.url)
		target.Timeout = config.Duration(100 * time.Millisecond)
		sender := newSender(t, target)
		if warm {
			sender.timeout = time.Minute
			send(sender)
			sender.timeout = 100 * time.Millisecond
		}
		before := server.count()
		result := send(sender)
		if result.Outcome != Retry || !strings.HasPrefix(result.Reason, wantReason) {
			t.Errorf("%s: result is %+v", name, result)
		}
		if n := server.count() - before; n != 1 {
			t.Errorf("%s: the receiver saw %d requests, want 1", name, n)
		}
	}
	f("a new connection", false, respondAndClose(""), "")
	f("a used one that respond something", true, respondAndClose("HTTP/1.1 2"), "broken response")
	f("a used one that respond nothing", true, respondAndHang(""), "timeout waiting")
}

func TestDeadHTTP2ConnectionsAreReplaced(t *testing.T) {
	var version atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { version.Store(int32(r.ProtoMajor)) }))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	target := targetAt(t, server.URL)
	target.TLS.Verify = false
	sender := newSender(t, target)
	for range 20 {
		if result := send(sender); result.Outcome != Delivered {
			t.Fatalf("result is %+v", result)
		}
		server.CloseClientConnections()
	}
	if version.Load() != 2 {
		t.Errorf("spoke HTTP/%d", version.Load())
	}
}

func TestEndlessBodiesCostNeitherTimeNorMemory(t *testing.T) {
	f := func(name string, answer responder, want Outcome, excerpt int) {
		t.Helper()
		server := newRawReceiver(t, answer)
		result := send(newSender(t, targetAt(t, server.url)))
		if result.Outcome != want || len(result.Excerpt) != excerpt {
			t.Errorf("%s: result is %+v with an excerpt of %d bytes", name, result, len(result.Excerpt))
		}
	}
	chunked := "\r\nTransfer-Encoding: chunked\r\n\r\n"
	f("endless body of a success", respondForever("HTTP/1.1 200 OK"+chunked, chunk), Delivered, 0)
	f("endless body of a failure", respondForever("HTTP/1.1 500 No"+chunked, chunk), Retry, 1024)
	f("gzip nobody asked for", respondForever("HTTP/1.1 500 No\r\nContent-Encoding: gzip"+chunked, chunk), Retry, 1024)
	f("body that never ends", respondAndHang("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"), Delivered, 0)
	f("failure's body that never ends", respondAndHang("HTTP/1.1 500 No\r\nContent-Length: 5\r\n\r\nab"), Retry, 2)
	f("reset in the body", respondAndReset("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"), Delivered, 0)
	f("failure's body cut short", respondAndClose("HTTP/1.1 500 No\r\nContent-Length: 5\r\n\r\nab"), Retry, 2)
	f("chunks that are none", respondAndClose("HTTP/1.1 503 No"+chunked+"zz\r\n"), Retry, 0)
	f("no body", respond("HTTP/1.1 204 No Content\r\n\r\n"), Delivered, 0)
	f("interim responses", respond("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: </a>\r\n\r\n"+ok), Delivered, 0)
	f("a switch of protocols", respondAndHang("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"), Retry, 0)
}

func TestTheTimeoutCoversTheResponseBody(t *testing.T) {
	f := func(name string, answer responder, want Outcome) {
		t.Helper()
		sender := newSender(t, targetAt(t, newRawReceiver(t, answer).url))
		sender.timeout, sender.drainTime = 100*time.Millisecond, 24*time.Hour
		if result := send(sender); result.Outcome != want { // or it hangs
			t.Errorf("%s: result is %+v, want %s", name, result, want)
		}
	}
	f("a body that stops", respondAndHang("HTTP/1.1 500 No\r\nContent-Length: 5\r\n\r\nab"), Retry)
	f("a body that respondSlowly", respondSlowly("HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\na\r\n"), Retry)
	f("a header that respondSlowly", respondSlowly("HTTP/1.1 500 No\r\n", "X: y\r\n"), Retry)
	f("a success whose header stops", respondAndHang("HTTP/1.1 200 OK\r\nX: "), Delivered)
	f("a success whose body stops", respondAndHang("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"), Delivered)
}

func TestNoCompressedResponseIsRequested(t *testing.T) {
	var got http.Header
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header }))
	defer server.Close()
	send(newSender(t, targetAt(t, server.URL)))
	if encoding := got.Values("Accept-Encoding"); len(encoding) != 0 {
		t.Errorf("Accept-Encoding is %v", encoding)
	}
}

func TestAShutdownIsNotBlamedOnTheTarget(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	server := newRawReceiver(t, func(conn net.Conn, connection, request int) bool {
		cancel()
		return respondAndHang("")(conn, connection, request)
	})
	result := newSender(t, targetAt(t, server.url)).Send(ctx, newDelivery(), sentAt)
	if result.Outcome != Ours || result.Reason != "shutting down" {
		t.Errorf("result is %+v", result)
	}
}

func TestAnUnreachableForwardProxyIsOurOwnFailure(t *testing.T) {
	sender := newSender(t, targetAt(t, "https://127.0.0.1:1"))
	sender.connections.current.Proxy = http.ProxyURL(&url.URL{Scheme: "http", Host: closedPort(t)})
	if result := send(sender); result.Outcome != Ours || result.Reason != "proxy unreachable" {
		t.Errorf("result is %+v", result)
	}
}

// closedPort is a loopback address where nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}
