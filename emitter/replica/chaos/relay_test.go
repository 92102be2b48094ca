package chaos

import (
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// relay passes on TCP connections to an address. While it is cut, nothing arrives at
// the other side, not even an end; what was on its way arrives once it is mended.
type relay struct {
	listener net.Listener
	to       string
	// up is the way of those who connect, down the way back.
	up, down *gate
	closed   chan struct{}
	running  sync.WaitGroup

	mu    sync.Mutex
	conns map[net.Conn]bool
}

// gate stops those who pass it while it is shut.
type gate struct {
	mu     sync.Mutex
	opened chan struct{} // closed while the gate is open
}

// newRelay listens at an address until close.
func newRelay(at, to string) (*relay, error) {
	listener, err := net.Listen("tcp", at)
	if err != nil {
		return nil, err
	}
	r := &relay{listener: listener, to: to, up: newGate(), down: newGate(), closed: make(chan struct{}), conns: map[net.Conn]bool{}}
	r.running.Go(r.accept)
	return r, nil
}

func newGate() *gate {
	g := &gate{opened: make(chan struct{})}
	close(g.opened)
	return g
}

func (r *relay) address() string { return r.listener.Addr().String() }

// cut cuts both ways.
func (r *relay) cut() {
	r.up.shut()
	r.down.shut()
}

// deafen cuts the way back alone: those who connect are heard, and hear nothing.
func (r *relay) deafen() { r.down.shut() }

// mend ends what cut and deafen began.
func (r *relay) mend() {
	r.up.open()
	r.down.open()
}

// drop ends all connections, as when one of two machines has forgotten them.
func (r *relay) drop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for conn := range r.conns {
		conn.Close()
	}
}

func (r *relay) close() {
	r.listener.Close()
	close(r.closed)
	r.drop()
	r.running.Wait()
}

func (r *relay) accept() {
	for {
		conn, err := r.listener.Accept()
		if err != nil {
			return
		}
		r.running.Go(func() { r.connect(conn) })
	}
}

func (r *relay) connect(from net.Conn) {
	defer from.Close()
	if !r.keep(from) || !r.up.pass(r.closed) {
		return
	}
	defer r.forget(from)
	to, err := net.DialTimeout("tcp", r.to, 5*time.Second)
	if err != nil {
		return
	}
	defer to.Close()
	if !r.keep(to) {
		return
	}
	defer r.forget(to)
	var both sync.WaitGroup
	both.Go(func() { r.pass(to, from, r.up) })
	both.Go(func() { r.pass(from, to, r.down) })
	both.Wait()
}

// pass copies what comes from one connection to the other, end included.
func (r *relay) pass(to, from net.Conn, through *gate) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if !through.pass(r.closed) {
			return
		}
		if _, failed := to.Write(buffer[:n]); failed != nil || err != nil {
			to.Close()
			return
		}
	}
}

// keep returns false once the relay is closed.
func (r *relay) keep(conn net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	select {
	case <-r.closed:
		return false
	default:
	}
	r.conns[conn] = true
	return true
}

func (r *relay) forget(conn net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.conns, conn)
}

func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-g.opened:
		g.opened = make(chan struct{})
	default:
	}
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-g.opened:
	default:
		close(g.opened)
	}
}

// pass waits until the gate is open; it returns false if ended is closed before.
func (g *gate) pass(ended <-chan struct{}) bool {
	g.mu.Lock()
	opened := g.opened
	g.mu.Unlock()
	select {
	case <-opened:
		return true
	case <-ended:
		return false
	}
}

func TestACutRelayHoldsWhatIsSentUntilItIsMended(t *testing.T) {
	f := func(name string, cut func(*relay), arrives bool) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			server, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer server.Close()
			r, err := newRelay("127.0.0.1:0", server.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer r.close()
			client, err := net.Dial("tcp", r.address())
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			behind, err := server.Accept()
			if err != nil {
				t.Fatal(err)
			}
			defer behind.Close()
			expect := func(to net.Conn, text string) {
				t.Helper()
				got := make([]byte, len(text))
				if _, err := io.ReadFull(to, got); err != nil || string(got) != text {
					t.Fatalf("%q has arrived (%v), want %q", got, err, text)
				}
			}
			send := func(conn net.Conn, text string) {
				t.Helper()
				if _, err := io.WriteString(conn, text); err != nil {
					t.Fatal(err)
				}
			}
			send(client, "one")
			expect(behind, "one")
			cut(r)
			send(client, "two")
			send(behind, "back")
			if arrives {
				expect(behind, "two")
			}
			client.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
			if n, err := client.Read(make([]byte, 1)); err == nil {
				t.Errorf("%d bytes have passed a way that is cut", n)
			}
			client.SetReadDeadline(time.Time{})
			r.mend()
			if !arrives {
				expect(behind, "two")
			}
			expect(client, "back")
			r.drop()
			if _, err := client.Read(make([]byte, 1)); err == nil {
				t.Error("a dropped connection goes on")
			}
		})
	}
	f("cut", (*relay).cut, false)
	f("deaf", (*relay).deafen, true)
}

func TestWhoConnectsToACutRelayWaits(t *testing.T) {
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	r, err := newRelay("127.0.0.1:0", server.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	r.cut()
	client, err := net.Dial("tcp", r.address())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	accepted := make(chan net.Conn, 1)
	go func() {
		conn, _ := server.Accept()
		accepted <- conn
	}()
	select {
	case <-accepted:
		t.Fatal("a connection has passed a relay that is cut")
	case <-time.After(20 * time.Millisecond):
	}
	r.mend()
	(<-accepted).Close()
}
