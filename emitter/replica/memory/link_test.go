package memory

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestWhatWasSeenIsReadInOrderAndAcrossDroppedMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers := NewServers()
		a, b := servers.Connect(), servers.Connect()
		must(t, a.See(t.Context(), []byte("1")))
		must(t, b.See(t.Context(), []byte("2")))
		must(t, b.DropSeen(t.Context(), 1))
		time.AfterFunc(time.Second, func() { must(t, a.See(t.Context(), []byte("3"))) })
		var kept [][]byte
		err := b.Seen(t.Context(), 0, func(number uint64, message []byte) error {
			if want := byte('0' + number); message[0] != want {
				t.Errorf("message %d is %q", number, message)
			}
			if kept = append(kept, message); number == 3 {
				return errEnough
			}
			return nil
		})
		if !errors.Is(err, errEnough) || len(kept) != 2 {
			t.Errorf("Seen returned %v after %d messages", err, len(kept))
		}
		for _, message := range kept {
			if message[0] != 0xDB {
				t.Errorf("a message can still be read after its function: %q", message)
			}
		}
	})
}

func TestEveryOneWhoAnswersATopicIsAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers := NewServers()
		ctx, stop := context.WithCancel(t.Context())
		connections := map[string]*Connection{"a": servers.Connect(), "b": servers.Connect(), "c": servers.Connect()}
		for name, c := range connections {
			go func() {
				_ = c.Answer(ctx, "names", func(question []byte) []byte { return append(question, name...) })
			}()
		}
		synctest.Wait()
		f := func(asking string, want ...string) {
			t.Helper()
			var got []string
			err := connections[asking].Ask(within(t, time.Second), "names", []byte("?"), func(answer []byte) bool {
				got = append(got, string(answer))
				return len(got) < 3
			})
			slices.Sort(got)
			if !slices.Equal(got, want) || err != nil {
				t.Errorf("%s got %q, %v, want %q", asking, got, err, want)
			}
		}
		f("a", "?a", "?b", "?c")
		connections["b"].Cut()
		f("a", "?a", "?c")
		f("b")
		connections["c"].Deafen()
		f("c")
		f("a", "?a", "?c")
		connections["b"].Mend()
		f("a", "?a", "?b", "?c")
		stop()
	})
}

func TestMessagesOverACutLineAreLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers := NewServers()
		a, b := servers.Connect(), servers.Connect()
		ctx, stop := context.WithCancel(t.Context())
		heard := map[*Connection]string{a: "", b: ""}
		for _, c := range []*Connection{a, b} {
			var all string
			go func() {
				_ = c.Hear(ctx, "news", func(message []byte) { all += string(message) })
				servers.mu.Lock()
				defer servers.mu.Unlock()
				heard[c] = all
			}()
		}
		synctest.Wait()
		must(t, a.Tell("news", []byte("1")))
		must(t, a.Tell("weather", []byte("x")))
		b.Cut()
		must(t, a.Tell("news", []byte("2")))
		must(t, b.Tell("news", []byte("y")))
		b.Mend()
		must(t, b.Tell("news", []byte("3")))
		synctest.Wait()
		stop()
		synctest.Wait()
		if heard[a] != "123" || heard[b] != "13" {
			t.Errorf("a heard %q and b %q", heard[a], heard[b])
		}
	})
}
