package jetstream

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/sidehook/sidehook/emitter/replica"
	"github.com/sidehook/sidehook/emitter/replica/memory"
)

func eachLink(t *testing.T, test func(t *testing.T, a, b replica.Link)) {
	t.Run("memory", func(t *testing.T) {
		s := memory.NewServers()
		test(t, s.Connect(), s.Connect())
	})
	t.Run("1 server", func(t *testing.T) {
		s := newServers(t, 1)
		test(t, s.connect(), s.connect())
	})
}

func TestWhatWasSeenIsReadInOrderWithoutWhatWasDropped(t *testing.T) {
	eachLink(t, func(t *testing.T, a, b replica.Link) {
		ctx := bounded(t)
		for n := range 5 {
			if err := [2]replica.Link{a, b}[n%2].See(ctx, fmt.Appendf(nil, "m%d", n+1)); err != nil {
				t.Fatal(err)
			}
		}
		if last, err := b.LastSeen(ctx); err != nil || last != 5 {
			t.Errorf("the last message is %d (%v)", last, err)
		}
		if err := a.DropSeen(ctx, 2); err != nil {
			t.Fatal(err)
		}
		var got []string
		err := b.Seen(ctx, 0, func(number uint64, message []byte) error {
			if got = append(got, fmt.Sprintf("%d:%s", number, message)); number == 5 {
				return errEnough
			}
			return nil
		})
		if !errors.Is(err, errEnough) || strings.Join(got, " ") != "3:m3 4:m4 5:m5" {
			t.Errorf("read %q, and then %v", got, err)
		}
	})
}

func TestAllWhoAnswerATopicAreAsked(t *testing.T) {
	eachLink(t, func(t *testing.T, a, b replica.Link) {
		ctx, cancel := context.WithCancel(bounded(t))
		answering := make(chan struct{}, 2)
		for name, link := range map[string]replica.Link{"a": a, "b": b} {
			go func() {
				_ = link.Answer(ctx, "who", func(question []byte) []byte {
					if string(question) == "quiet" {
						return nil
					}
					return append([]byte(name+" "), question...)
				})
				answering <- struct{}{}
			}()
		}
		got := map[string]bool{}
		for len(got) < 2 && ctx.Err() == nil { // until both have subscribed
			asking, stop := context.WithTimeout(ctx, patience/100)
			if err := a.Ask(asking, "who", []byte("are you"), func(answer []byte) bool {
				got[string(answer)] = true
				return len(got) < 2
			}); err != nil {
				t.Fatal(err)
			}
			stop()
		}
		if !got["a are you"] || !got["b are you"] {
			t.Errorf("the answers are %v", got)
		}
		cancel()
		<-answering
		<-answering
	})
}

func TestATopicIsHeardByAll(t *testing.T) {
	eachLink(t, func(t *testing.T, a, b replica.Link) {
		ctx, cancel := context.WithCancel(bounded(t))
		heard := make(chan string, 100)
		ended := make(chan struct{}, 2)
		for name, link := range map[string]replica.Link{"a": a, "b": b} {
			go func() {
				_ = link.Hear(ctx, "news", func(message []byte) {
					select {
					case heard <- name + " " + string(message):
					default:
					}
				})
				ended <- struct{}{}
			}()
		}
		got := map[string]bool{}
		for len(got) < 2 && ctx.Err() == nil {
			_ = b.Tell("news", []byte("hello")) // fails until it is connected
			select {
			case one := <-heard:
				got[one] = true
			default:
			}
		}
		if !got["a hello"] || !got["b hello"] {
			t.Errorf("heard %v", got)
		}
		cancel()
		<-ended
		<-ended
	})
}

func TestAConnectionBeginsWithoutServersAndCallsEndWithTheirContext(t *testing.T) {
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody.Close()
	s := &servers{t: t}
	c := s.connect("nats://" + nobody.Addr().String())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for what, call := range map[string]func() error{
		"Write":   func() error { _, err := c.Write(ctx, 0, nil); return err },
		"Written": func() error { return c.Written(ctx, 0, nil) },
		"Extent":  func() error { _, _, err := c.Extent(ctx); return err },
		"Save":    func() error { return c.Save(ctx, "x", strings.NewReader("x")) },
		"Open":    func() error { _, err := c.Open(ctx, "x"); return err },
		"See":     func() error { return c.See(ctx, nil) },
		"Tell":    func() error { return c.Tell("x", nil) },
	} {
		if err := call(); err == nil {
			t.Errorf("%s succeeds without a server", what)
		}
	}
	if c.IsConnected() || c.MaxEntry() < 1_000_000 {
		t.Errorf("connected: %t; entries of up to %d bytes", c.IsConnected(), c.MaxEntry())
	}
}

func TestErrorsHaveNoCredentials(t *testing.T) {
	s := newServers(t, 1)
	for _, server := range []string{
		strings.Replace(s.urls()[0], "nats://", "nats://tiger:roar%21@", 1),
		"nats://tiger:roar%21@[::1", "nats://s3cret@127.0.0.1:1",
	} {
		o := Options{Servers: []string{server}, App: "app"}
		c, err := Open(o)
		if err == nil {
			t.Cleanup(c.Close)
			ctx, cancel := context.WithTimeout(t.Context(), callTimeout)
			_, _, err = c.Extent(ctx)
			cancel()
		}
		if err == nil {
			continue // a server without users takes everybody
		}
		for _, secret := range []string{"roar", "s3cret"} {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("an error has %q: %v", secret, err)
			}
		}
	}
}
