package send

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/sidehook/sidehook/rules/config"
)

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
		count := r.Method + " " + r.RequestURI + " " + r.Header.Get("Proxy-Authorization")
		p.last.Store(&count)
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

func proxyAt(t *testing.T, address string) (proxy config.Proxy) {
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
