package jetstream

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/emitter/replica"
	"github.com/sidehook/sidehook/emitter/replica/memory"
)

var _ replica.Link = (*Connection)(nil)

var errEnough = errors.New("enough")

// collect reads n entries after a number.
func collect(t *testing.T, l outbox.Log, after uint64, n int) (list []string) {
	t.Helper()
	err := l.Written(bounded(t), after, func(number uint64, entry []byte) error {
		list = append(list, fmt.Sprintf("%d:%s", number, entry))
		if len(list) == n {
			return errEnough
		}
		return nil
	})
	if !errors.Is(err, errEnough) {
		t.Fatalf("reading ended after %q with %v", list, err)
	}
	return list
}

// eachLog runs a test over the log in memory, one server and a cluster, with two
// connections to it.
func eachLog(t *testing.T, test func(t *testing.T, a, b outbox.Log)) {
	t.Run("memory", func(t *testing.T) {
		s := memory.NewServers()
		test(t, s.Connect(), s.Connect())
	})
	for _, n := range []int{1, 3} {
		t.Run(fmt.Sprintf("%d servers", n), func(t *testing.T) {
			s := newServers(t, n)
			test(t, s.connect(), s.connect())
		})
	}
}

func TestOneOfTwoWritersIsOvertaken(t *testing.T) {
	eachLog(t, func(t *testing.T, a, b outbox.Log) {
		ctx := bounded(t)
		if first, last, err := a.Extent(ctx); err != nil || first != 1 || last != 0 {
			t.Fatalf("an empty log has entries %d to %d (%v)", first, last, err)
		}
		for after := range uint64(3) {
			if n, err := a.Write(ctx, after, fmt.Appendf(nil, "a%d", after)); err != nil || n != after+1 {
				t.Fatalf("the entry after %d has number %d: %v", after, n, err)
			}
		}
		if _, err := b.Write(ctx, 2, []byte("b")); !errors.Is(err, outbox.ErrOvertaken) {
			t.Errorf("an entry in place of another: %v", err)
		}
		if n, err := a.Write(ctx, 2, []byte("a2")); err != nil || n != 3 {
			t.Errorf("an entry that is there already has number %d: %v", n, err)
		}
		if n, err := b.Write(ctx, 3, []byte("b3")); err != nil || n != 4 {
			t.Errorf("the other writer's entry has number %d: %v", n, err)
		}
		if got := strings.Join(collect(t, b, 1, 3), " "); got != "2:a1 3:a2 4:b3" {
			t.Errorf("the log has %s", got)
		}
	})
}

func TestDroppedEntriesAreGone(t *testing.T) {
	eachLog(t, func(t *testing.T, a, b outbox.Log) {
		ctx := bounded(t)
		for after := range uint64(4) {
			if _, err := a.Write(ctx, after, []byte{byte(after)}); err != nil {
				t.Fatal(err)
			}
		}
		if err := a.Drop(ctx, 3); err != nil {
			t.Fatal(err)
		}
		if first, last, err := b.Extent(ctx); err != nil || first != 4 || last != 4 {
			t.Errorf("the log has entries %d to %d (%v)", first, last, err)
		}
		if err := b.Written(ctx, 1, func(uint64, []byte) error { return errEnough }); !errors.Is(err, outbox.ErrGone) {
			t.Errorf("reading from a dropped entry on: %v", err)
		}
		if err := a.Drop(ctx, 4); err != nil {
			t.Fatal(err)
		}
		if first, last, err := b.Extent(ctx); err != nil || first != 5 || last != 4 {
			t.Errorf("the log that was dropped has entries %d to %d (%v)", first, last, err)
		}
		if n, err := b.Write(ctx, 4, []byte("on")); err != nil || n != 5 {
			t.Errorf("the entry after that has number %d: %v", n, err)
		}
	})
}

func TestReadingBeyondTheEndOfALogThatWasLostFails(t *testing.T) {
	eachLog(t, func(t *testing.T, a, _ outbox.Log) {
		if err := a.Written(bounded(t), 7, func(uint64, []byte) error { return errEnough }); !errors.Is(err, outbox.ErrGone) {
			t.Errorf("reading after entry 7 of an empty log: %v", err)
		}
	})
}

func TestASnapshotIsThereAsAWholeOrNotAtAll(t *testing.T) {
	eachLog(t, func(t *testing.T, a, b outbox.Log) {
		ctx := bounded(t)
		long := bytes.Repeat([]byte("0123456789abcdef"), 100_000)
		if err := a.Save(ctx, "one", bytes.NewReader(long)); err != nil {
			t.Fatal(err)
		}
		if err := a.Save(ctx, "empty", bytes.NewReader(nil)); err != nil {
			t.Fatal(err)
		}
		torn := io.MultiReader(bytes.NewReader(long), failingReader{})
		if err := a.Save(ctx, "torn", torn); err == nil {
			t.Fatal("a snapshot that cannot be read is saved")
		}
		if names, err := b.Snapshots(ctx); err != nil || strings.Join(names, " ") != "one empty" {
			t.Errorf("there are the snapshots %v (%v)", names, err)
		}
		for name, content := range map[string][]byte{"one": long, "empty": nil} {
			r, err := b.Open(ctx, name)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(r)
			if err = errors.Join(err, r.Close()); err != nil || !bytes.Equal(got, content) {
				t.Errorf("snapshot %s has %d bytes of %d (%v)", name, len(got), len(content), err)
			}
		}
		if err := a.Remove(ctx, "one"); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"one", "torn", "another"} {
			if _, err := b.Open(ctx, name); !errors.Is(err, outbox.ErrGone) {
				t.Errorf("snapshot %s is there: %v", name, err)
			}
		}
	})
}

// Of a replica that died while it saved a snapshot, or could not read it, nothing is left.
func TestWhatIsLeftOfASnapshotThatWasNotSavedIsRemoved(t *testing.T) {
	s := newServers(t, 1)
	c := s.connect()
	ctx := bounded(t)
	left := func() (messages uint64) {
		info, err := c.snapshots.info(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return info.State.Msgs
	}
	f := func(name string, want uint64) {
		t.Helper()
		if err := c.Save(ctx, name, strings.NewReader("all")); err != nil {
			t.Fatal(err)
		}
		if got := left(); got != want {
			t.Errorf("once %s was saved there are %d messages, want %d", name, got, want)
		}
	}
	torn := io.MultiReader(bytes.NewReader(make([]byte, 3*pieceSize)), failingReader{})
	if err := c.Save(ctx, "torn", torn); err == nil || left() != 0 {
		t.Errorf("of a snapshot that cannot be read %d messages are left (%v)", left(), err)
	}
	if err := c.publishPiece(ctx, &nats.Msg{Subject: c.snapshotSubject("killed"), Data: []byte("some")}, 0); err != nil {
		t.Fatal(err)
	}
	f("one", 3) // the other may still be on its way
	c.tornAfter = 0
	f("two", 4)
}

type failingReader struct{}

func (failingReader) Read([]byte) (int, error) { return 0, errors.New("the disk is gone") }

func TestAWriteWhoseAcknowledgementIsLostIsFound(t *testing.T) {
	s := newServers(t, 1)
	relay := s.swallow(s.list[0].Addr().String())
	a, b := s.connect(relay.address), s.connect()
	ctx := bounded(t)
	if _, err := a.Write(ctx, 0, []byte("first")); err != nil {
		t.Fatal(err)
	}
	relay.setDeaf(true)
	done := make(chan error, 1)
	go func() { _, err := a.Write(ctx, 1, []byte("second")); done <- err }()
	if got := collect(t, b, 1, 1); got[0] != "2:second" {
		t.Fatalf("the log has %q", got)
	}
	if _, err := b.Write(ctx, 2, []byte("third")); err != nil {
		t.Fatal(err)
	}
	relay.setDeaf(false)
	if err := <-done; err != nil {
		t.Errorf("the entry is there, but its writer is told %v", err)
	}
}

func TestReadingGoesOnAfterTheServersRestart(t *testing.T) {
	for _, n := range []int{1, 3} {
		t.Run(fmt.Sprintf("%d servers", n), func(t *testing.T) {
			s := newServers(t, n)
			a, b := s.connect(), s.connect()
			ctx, cancel := context.WithCancel(bounded(t))
			defer cancel()
			const entries = 60
			var read []uint64
			ended := make(chan error, 1)
			go func() {
				ended <- a.Written(ctx, 0, func(number uint64, _ []byte) error {
					if read = append(read, number); len(read) == entries {
						return errEnough
					}
					return nil
				})
			}()
			for after := range uint64(entries) {
				if after%20 == 10 {
					one := int(after/20) % n
					s.stop(one)
					s.start(one)
				}
				if number, err := b.Write(ctx, after, []byte("entry")); err != nil || number != after+1 {
					t.Fatalf("entry %d is written as %d: %v", after+1, number, err)
				}
			}
			if err := <-ended; !errors.Is(err, errEnough) {
				t.Fatal(err)
			}
			for i, number := range read {
				if number != uint64(i+1) {
					t.Fatalf("the entry read after %d is %d", i, number)
				}
			}
		})
	}
}
