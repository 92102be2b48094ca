package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

const (
	// idleHead is the size of the one head that each idle connection has sent, in bytes.
	idleHead = 60 << 10
	// idleSenders is the number of connections that send it concurrently.
	idleSenders = 64
	// idleSettle is how long a proxy is left alone before its memory is read.
	idleSettle = 2 * time.Second
	// idleBar limits the memory of sidehook with 5000 connections, in bytes.
	idleBar = 60 << 20
)

// idle prints the memory of each peer that holds idle connections, each of
// which has sent one large head.
func (r *rig) idle(peers []peer, out io.Writer) error {
	var cells [][]string
	var sidehook int
	for _, p := range withoutUnwatched(peers) {
		if p.name == "splice" {
			continue // it keeps no heads, and takes six file descriptors for a connection
		}
		memory, err := r.idleMemory(p)
		if err != nil {
			return fmt.Errorf("idle, %s: %w", p.name, err)
		}
		if p.name == "sidehook" {
			sidehook = memory
		}
		cells = append(cells, []string{p.name, fmt.Sprintf("%.1f", float64(memory)/(1<<20))})
	}
	fmt.Fprintf(out, "\nidle: %d connections, idle after a head of %d KB\n", r.options.idle, idleHead>>10)
	t := newTable(out)
	t.row("proxy", "RssAnon MB")
	for _, row := range cells {
		t.row(row...)
	}
	t.end()
	if sidehook > 0 {
		fmt.Fprintf(out, "bar: RssAnon ≤ %d MB: %.1f MB, %s\n", idleBar>>20, float64(sidehook)/(1<<20), verdict(sidehook <= idleBar))
	}
	return nil
}

func (r *rig) idleMemory(p peer) (int, error) {
	p.largeHeads = true
	proxy, err := r.launch(r.ctx, p, r.appAt)
	if err != nil {
		return 0, err
	}
	defer proxy.end()
	conns := make([]net.Conn, r.options.idle)
	defer func() {
		for _, conn := range conns {
			if conn != nil {
				conn.Close()
			}
		}
	}()
	errs := make(chan error, idleSenders)
	var sending sync.WaitGroup
	for sender := range idleSenders {
		sending.Go(func() {
			for i := sender; i < len(conns); i += idleSenders {
				var err error
				if conns[i], err = sendLarge(proxy.Listen); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	sending.Wait()
	select {
	case err := <-errs:
		return 0, err
	case <-time.After(min(idleSettle, r.options.duration/2)):
		return proxy.memory(), nil
	}
}

// sendLarge sends a large head and reads the response. The connection stays.
func sendLarge(address string) (net.Conn, error) {
	conn, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		return nil, fmt.Errorf("cannot connect: %w", err)
	}
	_ = conn.SetDeadline(time.Now().Add(readyLimit))
	line := "X-Padding: " + strings.Repeat("x", 1<<10-len("X-Padding: \r\n")) + "\r\n"
	if _, err := io.WriteString(conn, "GET /json HTTP/1.1\r\nHost: app\r\n"+strings.Repeat(line, idleHead/len(line))+"\r\n"); err != nil {
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
