package jetstream

import (
	"log/slog"
	"net"
	"testing"
	"time"
)

func TestNobodyWaitsForAConnectionThatIsBeingMade(t *testing.T) {
	mute, err := net.Listen("tcp", host+":0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { mute.Close() })
	attempts := make(chan net.Conn, 100)
	go func() {
		for {
			conn, err := mute.Accept()
			if err != nil {
				close(attempts)
				return
			}
			attempts <- conn
		}
	}()
	c, err := Open(Options{Servers: []string{"nats://" + mute.Addr().String()}, App: "app", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	first, second := <-attempts, <-attempts // the server says nothing to either
	answered := make(chan bool, 1)
	go func() { answered <- c.IsConnected() || c.MaxMessage() <= 0 }()
	select {
	case isWrong := <-answered:
		if isWrong {
			t.Error("it is connected, or takes no messages")
		}
	case <-time.After(connectTimeout / 2):
		t.Error("whoever asks waits as long as the attempt")
	}
	first.Close()
	second.Close()
}
