package record

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// horizonTest is what was read of two replicas; second is when something was seen.
type horizonTest struct {
	*folding
	start time.Time
}

func newHorizonTest() *horizonTest {
	f := &folding{Recorder: &Recorder{unfolded: &unfolded{}}, lastK: map[string]uint64{}, reached: map[string]time.Time{}}
	return &horizonTest{folding: f, start: time.Unix(1_800_000_000, 0)}
}

// read reads a message of a replica with sightings of these seconds, each of which takes
// a quarter of what may be folded at once.
func (h *horizonTest) read(from string, seconds ...int) {
	one := &seenMessage{number: h.last + 1, from: from, floor: h.last + 1}
	for i, second := range seconds {
		one.seen = append(one.seen, &seen{
			from: from, k: h.lastK[from] + uint64(i+1), number: one.number, participant: fmt.Sprint("p", second%2),
			size: maxBatchBytes / 4, raw: h.start.Add(time.Duration(second) * time.Second),
		})
	}
	h.receive(one)
}

// in returns what is in a batch, as "replica second".
func (h *horizonTest) in(b *batch) (all []string) {
	for s := range b.sightings() {
		all = append(all, fmt.Sprint(s.from, " ", s.raw.Sub(h.start).Seconds()))
	}
	return all
}

func TestABatchOfTooMuchHasWhatWasSeenFirst(t *testing.T) {
	h := newHorizonTest()
	h.read("a", 1, 3, 2, 9, 11)
	for n := range 30 {
		h.read("a", 100+n)
	}
	earlier, later := foldTask{at: h.start.Add(9 * time.Second)}, foldTask{at: h.start.Add(10 * time.Second)}
	b := h.newBatch([]foldTask{later, earlier})
	expect := func(when string, want ...string) {
		t.Helper()
		if got := h.in(b); !slices.Equal(got, want) {
			t.Errorf("%s, it has %q, want %q", when, got, want)
		}
	}
	expect("at first", "a 1", "a 3", "a 2", "a 9")
	if len(b.tasks) != 1 || !b.tasks[0].at.Equal(earlier.at) || len(b.deferred) != 1 || !b.deferred[0].at.Equal(later.at) {
		t.Errorf("it has the tasks %v, and %v are deferred", b.tasks, b.deferred)
	}
	h.read("b", 2, 8, 10)
	expect("once another replica has sent what is as old", "a 1", "a 3", "a 2", "a 9", "b 2", "b 8")
	bytes := h.bytes
	b.end()
	if got, want := h.floor.Load(), uint64(0); got != want {
		t.Errorf("everything is folded up to message %d, want %d", got, want)
	}
	if got := bytes - h.bytes; got != 6*maxBatchBytes/4 || len(h.list) != 32 {
		t.Errorf("%d bytes are gone, and %d messages left", got, len(h.list))
	}
	b = h.newBatch(nil)
	expect("the next one", "a 11", "a 100", "a 101", "b 10")
	b.end()
	if got, want := h.floor.Load(), uint64(3); got != want {
		t.Errorf("then everything is folded up to message %d, want %d", got, want)
	}
}

func TestABatchWithAHorizonNeedsNoMoreThanWhatMattersToIt(t *testing.T) {
	h := newHorizonTest()
	h.read("a", 1)
	b := h.newBatch(nil)
	replies := []replyFrom{{orderAnswer: orderAnswer{Queues: []knownQueue{{Incarnation: "a", Acked: 2}, {Incarnation: "later", Pending: 1}}}}}
	expect := func(when string, want bool) {
		t.Helper()
		if got := b.hasRead(replies); got != want {
			t.Errorf("%s: %t, want %t", when, got, want)
		}
	}
	expect("what was acknowledged is not read", false)
	h.read("a", 2)
	expect("what waits behind it is not read", false)
	b.horizon = h.start.Add(time.Second)
	expect("that might be as old", false)
	h.read("a", 1+int(longExchange.Seconds()))
	expect("nor is it much newer", false)
	h.read("a", 2+int(longExchange.Seconds()))
	expect("it is much newer", true)
}

func TestABatchWithAHorizonReadsNoMoreThanFits(t *testing.T) {
	f := func(what string, isNarrow bool, queue knownQueue, want bool) {
		t.Helper()
		h := newHorizonTest()
		h.read("a", 1)
		h.bytes = maxUnfolded
		b := &batch{folding: h.folding}
		if isNarrow {
			b.horizon = h.start.Add(time.Second)
		}
		replies := []replyFrom{{orderAnswer: orderAnswer{Queues: []knownQueue{queue}}}}
		if got, err := b.readTo(t.Context(), replies); got != want || err != nil {
			t.Errorf("%s: %t (%v), want %t", what, got, err, want)
		}
	}
	f("what is not read was sent later", true, knownQueue{Incarnation: "a", Acked: 2}, true)
	f("what is not read was not sent", true, knownQueue{Incarnation: "a", Acked: 1, Pending: 2}, false)
	f("it has no horizon", false, knownQueue{Incarnation: "a", Acked: 2}, false)
}
