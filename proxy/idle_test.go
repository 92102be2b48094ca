package proxy

import (
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

func TestIdleConnectionHoldsNoBuffers(t *testing.T) {
	p := startProxy(t, startApp(t, respondWith(okResponse)), nil)
	request := func(padding int) string {
		return fmt.Sprintf("GET / HTTP/1.1\r\nHost: h\r\nX-Padding: %s\r\n\r\n", pattern(padding))
	}
	var clients []*testConn
	for i, padding := range []int{0, 100, 8 << 10, 60 << 10} {
		clients = append(clients, dial(t, p))
		if i > 0 { // the first sends nothing for now
			clients[i].send(request(padding))
			equal(t, "response", clients[i].readN(len(okResponse)), okResponse)
		}
	}
	for range 3 {
		eventually(t, "fasthttp holds no connection", func() bool {
			return p.clients.len() == len(clients) && p.server.GetCurrentConcurrency() == 0
		})
		for _, client := range clients {
			client.send(request(10))
			equal(t, "response after idling", client.readN(len(okResponse)), okResponse)
		}
	}
	clients[0].Close()
	clients[1].SetLinger(0)
	clients[1].Close()
	eventually(t, "connections that end while they are idle are forgotten", func() bool { return p.clients.len() == 2 })
	equal(t, "refused requests", p.Stats().Refused, 0)
}

func TestMemoryIsReturnedOnceThereAreFewRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		requests := uint64(busy + 1)
		r := &reclaimer{requests: func() uint64 { return requests }, open: func() int { return 0 }}
		defer r.close()
		held := func() uint64 {
			r.mu.Lock()
			defer r.mu.Unlock()
			return r.held
		}
		burst := make([]byte, 64<<20)
		for i := range burst {
			burst[i] = 1
		}
		before := heldMemory()
		runtime.KeepAlive(burst)

		r.arm()
		time.Sleep(reclaimAfter)
		synctest.Wait()
		equal(t, "bytes after a collection amid requests", held(), 0)

		time.Sleep(reclaimAfter)
		synctest.Wait()
		if after := heldMemory(); after+32<<20 > before {
			t.Errorf("%d MB are held after %d MB", after>>20, before>>20)
		}
		requests++
		r.arm()
		time.Sleep(reclaimAfter)
		synctest.Wait()
		if held() == 0 || r.isArmed.Load() {
			t.Error("it goes on without requests")
		}
	})
}
