package memory

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"
)

var errEnough = errors.New("enough")

// entries returns the entries after a number that are there.
func entries(t *testing.T, c *Connection, after uint64) (all []string) {
	t.Helper()
	_, last, err := c.Extent(t.Context())
	must(t, err)
	if last == after {
		return nil
	}
	err = c.Written(t.Context(), after, func(number uint64, entry []byte) error {
		if all = append(all, string(entry)); number == last {
			return errEnough
		}
		return nil
	})
	if !errors.Is(err, errEnough) {
		t.Fatalf("Written returned %v", err)
	}
	return all
}

func TestOnlyOneOfTwoWritersAppendsAfterAnEntry(t *testing.T) {
	servers := NewServers()
	a, b := servers.Connect(), servers.Connect()
	f := func(c *Connection, after uint64, entry string, want error) {
		t.Helper()
		number, err := c.Write(t.Context(), after, []byte(entry))
		if !errors.Is(err, want) || want == nil && number != after+1 {
			t.Errorf("Write of %q after %d returned %d and %v, want %v", entry, after, number, err, want)
		}
	}
	f(a, 0, "a1", nil)
	f(b, 0, "b1", outbox.ErrOvertaken)
	f(b, 1, "b2", nil)
	f(a, 1, "a2", outbox.ErrOvertaken)
	f(b, 1, "b2", nil) // the same call tells that it is there
	f(a, 7, "a8", outbox.ErrGone)
	if _, err := a.Write(t.Context(), 2, make([]byte, servers.MaxEntry+1)); err == nil {
		t.Error("an entry that is too long was written")
	}
}

func TestALostAckLeavesTheEntryAndTheSameCallFindsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers := NewServers()
		a, b := servers.Connect(), servers.Connect()
		a.Deafen()
		if _, err := a.Write(within(t, time.Second), 0, []byte("a1")); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("a deaf Write returned %v", err)
		}
		if got := entries(t, b, 0); !slices.Equal(got, []string{"a1"}) {
			t.Fatalf("the log has %q", got)
		}
		time.AfterFunc(time.Second, a.Mend)
		_, err := a.Write(t.Context(), 0, []byte("a1"))
		must(t, err)
		if got := entries(t, b, 0); !slices.Equal(got, []string{"a1"}) {
			t.Errorf("after the second call the log has %q", got)
		}
	})
}

func TestCallsOverACutLineWaitUntilItIsMended(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		servers := NewServers()
		a, b := servers.Connect(), servers.Connect()
		a.Cut()
		if _, err := a.Write(within(t, time.Second), 0, []byte("a1")); !errors.Is(err, context.DeadlineExceeded) || a.IsConnected() {
			t.Fatalf("a Write over a cut line returned %v", err)
		}
		if _, last, err := b.Extent(t.Context()); last != 0 || err != nil {
			t.Fatalf("it wrote %d entries, %v", last, err)
		}
		start := time.Now()
		time.AfterFunc(time.Minute, a.Mend)
		_, err := a.Write(t.Context(), 0, []byte("a1"))
		must(t, err)
		if took := time.Since(start); took != time.Minute {
			t.Errorf("it took %s", took)
		}
	})
}

func TestEntriesThatWereDroppedOrForgottenAreGone(t *testing.T) {
	servers := NewServers()
	c := servers.Connect()
	for i, entry := range []string{"1", "2", "3"} {
		_, err := c.Write(t.Context(), uint64(i), []byte(entry))
		must(t, err)
	}
	must(t, c.Drop(t.Context(), 2))
	first, last, err := c.Extent(t.Context())
	if first != 3 || last != 3 || err != nil {
		t.Errorf("Extent returned %d, %d, %v", first, last, err)
	}
	if got := entries(t, c, 2); !slices.Equal(got, []string{"3"}) {
		t.Errorf("the log has %q", got)
	}
	never := func(uint64, []byte) error { return errEnough }
	if err := c.Written(t.Context(), 1, never); !errors.Is(err, outbox.ErrGone) {
		t.Errorf("Written after 1 returned %v", err)
	}
	must(t, c.Drop(t.Context(), 3))
	if _, err := c.Write(t.Context(), 3, []byte("4")); err != nil {
		t.Errorf("after all were dropped, Write returned %v", err)
	}
	servers.Forget()
	if err := c.Written(t.Context(), 3, never); !errors.Is(err, outbox.ErrGone) {
		t.Errorf("of a log that is new, Written after 3 returned %v", err)
	}
}

func TestSnapshotsAreKeptUntilTheyAreRemoved(t *testing.T) {
	c := NewServers().Connect()
	must(t, c.Save(t.Context(), "one", strings.NewReader("first")))
	must(t, c.Save(t.Context(), "two", strings.NewReader("second")))
	names, err := c.Snapshots(t.Context())
	if !slices.Equal(names, []string{"one", "two"}) || err != nil {
		t.Errorf("Snapshots returned %q, %v", names, err)
	}
	opened, err := c.Open(t.Context(), "two")
	must(t, err)
	content, err := io.ReadAll(opened)
	if string(content) != "second" || err != nil {
		t.Errorf("it has %q, %v", content, err)
	}
	must(t, c.Remove(t.Context(), "two"))
	if _, err := c.Open(t.Context(), "two"); !errors.Is(err, outbox.ErrGone) {
		t.Errorf("of one that was removed, Open returned %v", err)
	}
}
