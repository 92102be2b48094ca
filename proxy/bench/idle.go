package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	// idleSenders is the number of connections that send their request concurrently.
	idleSenders = 64
	// idleSettle is how long a proxy is left alone before its memory is read.
	idleSettle = 5 * time.Second
	// idleBar limits the memory of sidehook with 5000 connections, in bytes.
	idleBar = 60 << 20
	// slowReaders is how many connections don't read the response that they asked for.
	slowReaders = 100
	// slowBar limits what sidehook holds for each of those, in bytes.
	slowBar = 100 << 10
)

// idleHeads are the sizes of the one head that each idle connection has sent, in bytes.
var idleHeads = []int{200, 8 << 10, 60 << 10}

// idle prints the memory of each peer that holds connections on which nothing passes.
func (r *rig) idle(peers []peer, out io.Writer) error {
	var cells [][]string
	var most, slow int
	for _, p := range withoutUnwatched(peers) {
		if p.name == "splice" {
			continue // it keeps no heads, and takes six file descriptors for a connection
		}
		row := []string{p.name}
		for _, size := range idleHeads {
			memory, closed, err := r.idleMemory(p, size)
			if err != nil {
				return fmt.Errorf("idle, %s: %w", p.name, err)
			}
			if p.name == "sidehook" {
				most = max(most, memory)
			}
			row = append(row, megabytes(memory), megabytes(closed))
		}
		each, err := r.slowMemory(p)
		if err != nil {
			return fmt.Errorf("slow readers, %s: %w", p.name, err)
		}
		if p.name == "sidehook" {
			slow = each
		}
		cells = append(cells, append(row, strconv.Itoa(each>>10)))
	}
	fmt.Fprintf(out, "\nidle: RssAnon in MB with %d connections, idle after a head of that size, and when they have closed;\n"+
		"in KB for each of %d that don't read a response of 6 MB\n", r.options.idle, slowReaders)
	t := newTable(out)
	t.row("proxy", "0.2 KB", "closed", "8 KB", "closed", "60 KB", "closed", "slow reader KB")
	for _, row := range cells {
		t.row(row...)
	}
	t.end()
	if most > 0 {
		fmt.Fprintf(out, "bar: RssAnon ≤ %d MB: %s MB, %s\n", idleBar>>20, megabytes(most), verdict(most <= idleBar))
		fmt.Fprintf(out, "bar: slow reader ≤ %d KB: %d KB, %s\n", slowBar>>10, slow>>10, verdict(slow <= slowBar))
	}
	return nil
}

func megabytes(bytes int) string { return fmt.Sprintf("%.1f", float64(bytes)/(1<<20)) }

// idleMemory is the memory of a peer with connections that have sent a head of this
// size, and after they have closed.
func (r *rig) idleMemory(p peer, head int) (idle, closed int, err error) {
	p.largeHeads = true
	proxy, err := r.launch(r.ctx, p, r.appAt)
	if err != nil {
		return 0, 0, err
	}
	defer proxy.end()
	end, err := r.hold(r.options.idle, func() (net.Conn, error) { return sendHead(proxy.Listen, head) })
	idle = proxy.memory()
	end()
	r.settle()
	return idle, proxy.memory(), err
}

// slowMemory is how much more memory a peer has for each connection that does not read.
func (r *rig) slowMemory(p peer) (int, error) {
	proxy, err := r.launch(r.ctx, p, r.appAt)
	if err != nil {
		return 0, err
	}
	defer proxy.end()
	if err := proxy.request(); err != nil {
		return 0, err
	}
	before := proxy.memory()
	end, err := r.hold(slowReaders, func() (net.Conn, error) { return requestOnly(proxy.Listen) })
	defer end()
	return (proxy.memory() - before) / slowReaders, err
}

// hold opens connections and leaves them alone. end closes them.
func (r *rig) hold(count int, open func() (net.Conn, error)) (end func(), err error) {
	conns := make([]net.Conn, count)
	errs := make(chan error, idleSenders)
	var sending sync.WaitGroup
	for sender := range idleSenders {
		sending.Go(func() {
			for i := sender; i < count; i += idleSenders {
				var err error
				if conns[i], err = open(); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	sending.Wait()
	r.settle()
	close(errs)
	return func() {
		for _, conn := range conns {
			if conn != nil {
				conn.Close()
			}
		}
	}, <-errs
}

func (r *rig) settle() {
	if r.options.isSmoke {
		return
	}
	time.Sleep(idleSettle)
}

// requestOnly requests a large response and does not read it.
func requestOnly(address string) (net.Conn, error) {
	conn, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		return nil, fmt.Errorf("cannot connect: %w", err)
	}
	_ = conn.(*net.TCPConn).SetReadBuffer(16 << 10)
	_, err = io.WriteString(conn, "GET /static HTTP/1.1\r\nHost: app\r\n\r\n")
	return conn, err
}

// sendHead sends a head of about this size and reads the response. The connection stays.
func sendHead(address string, size int) (net.Conn, error) {
	conn, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		return nil, fmt.Errorf("cannot connect: %w", err)
	}
	_ = conn.SetDeadline(time.Now().Add(readyLimit))
	line := "X-Padding: " + strings.Repeat("x", 1<<10-len("X-Padding: \r\n")) + "\r\n"
	if _, err := io.WriteString(conn, "GET /json HTTP/1.1\r\nHost: app\r\n"+strings.Repeat(line, size/len(line))+"\r\n"); err != nil {
		return conn, fmt.Errorf("cannot send a head: %w", err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return conn, fmt.Errorf("cannot read a response: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return conn, fmt.Errorf("the response to a large head is %s", response.Status)
	}
	_, err = io.Copy(io.Discard, response.Body)
	return conn, err
}
