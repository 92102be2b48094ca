package admin

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"
)

func TestNoNumberOfIdleConnectionsStopsAProbe(t *testing.T) {
	f := func(name string, connections int, sent string) {
		t.Run(fmt.Sprintf("%d %s", connections, name), func(t *testing.T) {
			s := newServer(t)
			for range connections {
				conn, err := net.Dial("tcp", s.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				if _, err := io.WriteString(conn, sent); err != nil {
					t.Fatal(err)
				}
			}
			for _, path := range []string{"/live", "/ready"} {
				if status, _ := s.request("GET", path, func(r *http.Request) { r.Close = true }); status != http.StatusOK {
					t.Errorf("%s: status %d", path, status)
				}
			}
		})
	}
	f("silent connections", 64, "")
	f("silent connections", 500, "")
	f("connections idle after a request", 64, "GET /live HTTP/1.1\r\nHost: h\r\n\r\n")
	f("connections idle after a request", 500, "GET /live HTTP/1.1\r\nHost: h\r\n\r\n")
	f("connections with half a head", 500, "GET /live HTTP/1.1\r\nHo")
	f("connections with half a body", 500, "POST /forget HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{")
}

// fewPlaces is a server with two places for local peers and three for remote ones,
// which come from 127.0.0.2. GET /hold is served until release, also as an
// operator's.
type fewPlaces struct {
	t       *testing.T
	address string
	holding chan string
	release chan struct{}
	// served has a place for each request that has been served.
	served chan struct{}
}

func newFewPlaces(t *testing.T) *fewPlaces {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &fewPlaces{t: t, address: listener.Addr().String(), holding: make(chan string), release: make(chan struct{}), served: make(chan struct{}, 100)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /live", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") })
	mux.HandleFunc("GET /hold/{who}", func(_ http.ResponseWriter, r *http.Request) {
		if r.PathValue("who") == "operator" {
			setConnState(r, connAuthorized)
		}
		f.holding <- r.PathValue("who")
		<-f.release
	})
	server := &http.Server{Handler: noting(serving(mux), f.served), ConnContext: withConn}
	var running sync.WaitGroup
	running.Go(func() { _ = server.Serve(newConnections(distantListener{listener}, 2, 3)) })
	t.Cleanup(func() {
		close(f.release)
		server.Close()
		running.Wait()
	})
	return f
}

// noting sends on served once a request has been served, which its client knows
// before the server does.
func noting(next http.Handler, served chan<- struct{}) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r)
		served <- struct{}{}
	})
}

// distantListener makes peers at 127.0.0.2 look like peers elsewhere.
type distantListener struct{ net.Listener }

func (l distantListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil && conn.RemoteAddr().(*net.TCPAddr).IP.Equal(net.IPv4(127, 0, 0, 2)) {
		conn = distantConn{conn}
	}
	return conn, err
}

type distantConn struct{ net.Conn }

func (distantConn) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 1} }

// connect connects from an address and requests a path, if it is not empty.
func (f *fewPlaces) connect(from, path string) net.Conn {
	f.t.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	conn, err := dialer.DialContext(f.t.Context(), "tcp", f.address)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { conn.Close() })
	if path != "" {
		f.request(conn, path)
	}
	return conn
}

func (f *fewPlaces) request(conn net.Conn, path string) {
	f.t.Helper()
	if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path); err != nil {
		f.t.Fatal(err)
	}
}

// expect checks that the next bytes are those of a response, or that the
// connection was closed.
func (f *fewPlaces) expect(name string, conn net.Conn, isOpen bool) {
	f.t.Helper()
	if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		f.t.Fatal(err)
	}
	n, err := conn.Read(make([]byte, 1024))
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		f.t.Fatalf("%s: nothing came", name)
	}
	if (n > 0) != isOpen {
		f.t.Errorf("%s: read %d bytes and %v; want it open: %v", name, n, err, isOpen)
	}
	if isOpen {
		<-f.served
	}
}

const here, elsewhere = "127.0.0.1", "127.0.0.2"

func TestTheConnectionThatWaitedLongestIsClosedForAnother(t *testing.T) {
	f := newFewPlaces(t)
	first := f.connect(elsewhere, "/live")
	f.expect("the first one", first, true)
	second := f.connect(elsewhere, "/live")
	f.expect("the second one", second, true)
	third := f.connect(elsewhere, "/live")
	f.expect("the third one", third, true)
	f.request(first, "/live") // now the second one has waited longest
	f.expect("the first one", first, true)
	fourth := f.connect(elsewhere, "/live")
	f.expect("the fourth one", fourth, true)
	f.expect("the second one", second, false)
	f.request(third, "/live")
	f.expect("the third one", third, true)
}

func TestPeersElsewhereDoNotTakeThePlacesOfThisMachine(t *testing.T) {
	f := newFewPlaces(t)
	local := f.connect(here, "/live")
	f.expect("a local connection", local, true)
	for range 20 {
		f.connect(elsewhere, "")
	}
	f.expect("the next one from elsewhere", f.connect(elsewhere, "/live"), true)
	f.request(local, "/live")
	f.expect("the local connection", local, true)
}

func TestARequestThatIsServedIsInterruptedLateAndAnOperatorsLast(t *testing.T) {
	f := newFewPlaces(t)
	hold := func(who string) net.Conn {
		conn := f.connect(elsewhere, "/hold/"+who)
		<-f.holding
		return conn
	}
	operator := hold("operator")
	slow := hold("somebody")
	waiting := f.connect(elsewhere, "/live")
	f.expect("a connection", waiting, true)
	hold("operator")
	f.expect("the one that waited", waiting, false)
	hold("operator")
	f.expect("the one that was served", slow, false)
	f.expect("one that finds only operators", f.connect(elsewhere, "/live"), true)
	f.expect("the first operator", operator, false)
}

func TestConnStatesHaveNames(t *testing.T) {
	if got := fmt.Sprint(connWaiting, connServing, connAuthorized); got != "waiting serving authorized" {
		t.Error(got)
	}
}
