package proxy

import "sync"

// clients is the set of open connections of participants, tunnels included.
type clients struct {
	mu    sync.Mutex
	open  map[*clientConn]struct{}
	empty chan struct{} // closed when the last one is removed; nil unless awaited
}

func (c *clients) add(client *clientConn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open[client] = struct{}{}
}

// remove forgets a connection that is no longer served.
func (c *clients) remove(client *clientConn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.open, client)
	if len(c.open) == 0 && c.empty != nil {
		close(c.empty)
		c.empty = nil
	}
}

func (c *clients) len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.open)
}

// gone returns a channel that is closed once no connection is left.
func (c *clients) gone() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.empty == nil {
		c.empty = make(chan struct{})
	}
	gone := c.empty
	if len(c.open) == 0 {
		close(c.empty)
		c.empty = nil
	}
	return gone
}

// close closes every connection.
func (c *clients) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for client := range c.open {
		client.TCPConn.Close()
	}
}

// closeIdle closes connections without a request, neither in flight nor waiting
// to be read.
func (c *clients) closeIdle() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for client := range c.open {
		isUnused := client.idle.Load() && client.socket.state() != peerReadable
		if isUnused && client.idle.CompareAndSwap(true, false) { // or a request has come meanwhile
			client.TCPConn.Close()
		}
	}
}
