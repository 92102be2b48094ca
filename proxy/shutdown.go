package proxy

import (
	"context"
	"fmt"
	"time"
)

// Drain makes Ready fail, and each response the last one on its connection.
func (p *Proxy) Drain() { p.draining.Store(true) }

// Shutdown stops accepting, closes idle connections, and waits until every
// request and tunnel has ended. If ctx ends first, it closes the remaining
// connections and returns ctx's error. Afterwards no goroutine of the proxy runs.
func (p *Proxy) Shutdown(ctx context.Context) error {
	p.Drain()
	if p.listener != nil {
		p.listener.Close()
	}
	err := p.awaitClients(ctx)
	if err == nil { // one more may have been on its way out of the listener
		p.accepting.Lock()
		p.accepting.Unlock() //nolint:staticcheck // no critical section: it waits
		err = p.awaitClients(ctx)
	}
	p.pool.close(err != nil)
	p.reclaimer.close()
	if err == nil {
		p.serving.Wait() // they have ended their connections
		return nil
	}
	remaining := p.clients.len()
	p.clients.close()
	force, cancel := context.WithTimeout(context.Background(), forceTimeout)
	defer cancel()
	_ = p.awaitClients(force)
	return fmt.Errorf("cannot wait any longer, %d connections were cut: %w", remaining, err)
}

// awaitClients waits until no connection is served, and closes those that are or
// become idle. fasthttp's own shutdown would close a connection whose next
// request has arrived and was not read yet.
func (p *Proxy) awaitClients(ctx context.Context) error {
	poll := time.NewTicker(idlePoll)
	defer poll.Stop()
	for gone := p.clients.gone(); ; {
		p.clients.closeIdle()
		select {
		case <-gone:
		case <-ctx.Done():
			return ctx.Err()
		case <-poll.C:
			continue
		}
		break
	}
	if p.listener != nil {
		p.listener.wait.Wait() // at most refuseLinger
	}
	return nil
}
