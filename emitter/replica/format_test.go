package replica

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The files of testdata were written by releases that had that format.

func TestMessagesOfEarlierFormatsAreRead(t *testing.T) {
	incarnation, pieces, err := parseMessage(earlier(t, "message"))
	must(t, err)
	var got []Sighting
	for i := range pieces {
		got = append(got, pieces[i].Sighting)
	}
	if diff := cmp.Diff(sightingsOfEarlier, got); diff != "" || incarnation != "incarnation" {
		t.Errorf("what %s saw differs (-want +got):\n%s", incarnation, diff)
	}
}

// A leader of an earlier release goes on while the others are upgraded.
func TestMessagesAreOfTheEarliestFormatThatCanHaveThem(t *testing.T) {
	if got := pack(t, "incarnation", 1<<20, sightingsOfEarlier); len(got) != 1 || !bytes.Equal(got[0], earlier(t, "message")) {
		t.Errorf("the messages are %x", got)
	}
	moved := Sighting{K: 10, Participant: "p1", At: earlierTime, Shift: time.Second}
	var formats []byte
	for _, message := range pack(t, "incarnation", 1<<20, append(slices.Clone(sightingsOfEarlier), moved, sightingsOfEarlier[0])) {
		formats = append(formats, message[0])
	}
	if want := []byte{1, 2}; !bytes.Equal(formats, want) {
		t.Errorf("the formats of messages are %d, want %d", formats, want)
	}
}

func TestSpillsOfEarlierFormatsAreRead(t *testing.T) {
	s, err := openSpill(newTestDisk(map[string][]byte{"spill-incarnation": earlier(t, "spill")}), "spill-incarnation")
	must(t, err)
	var got []Sighting
	must(t, s.records(spillHeaderSize, func(r *record) bool {
		one := r.Sighting
		one.Data = append([]byte(nil), one.Data...)
		got = append(got, one)
		return true
	}))
	if diff := cmp.Diff(sightingsOfEarlier, got); diff != "" {
		t.Errorf("what %s saw differs (-want +got):\n%s", s.incarnation, diff)
	}
}

func TestHellosOfEarlierFormatsAreRead(t *testing.T) {
	got, err := parseHello(earlier(t, "hello"))
	must(t, err)
	want := hello{
		kind: kindHello, name: "one", incarnation: "incarnation", extra: []byte(`{"role":"leading"}`),
		started: earlierTime.Truncate(time.Millisecond), clock: earlierTime.Add(time.Minute).Truncate(time.Millisecond),
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(hello{})); diff != "" {
		t.Errorf("the hello differs (-want +got):\n%s", diff)
	}
}

// A replica of an earlier release knows the others of this one all the same.
func TestAHelloBeginsAsThatOfEarlierFormatsDoes(t *testing.T) {
	h, err := parseHello(earlier(t, "hello"))
	must(t, err)
	h.drainedTo, h.echoes = earlierTime, []echo{{incarnation: "another", clock: earlierTime, held: time.Second}}
	encoded := h.encode()
	encoded[0] = 1
	got, err := parseHello(encoded)
	must(t, err)
	h.drainedTo, h.echoes = time.Time{}, nil
	if diff := cmp.Diff(h, got, cmp.AllowUnexported(hello{})); diff != "" {
		t.Errorf("the hello differs (-want +got):\n%s", diff)
	}
}

var (
	earlierTime        = time.Date(2026, 11, 27, 12, 0, 0, 123456789, time.UTC)
	sightingsOfEarlier = []Sighting{
		{K: 7, Participant: "p1", At: earlierTime, Data: []byte("first")},
		{K: 9, Participant: "p2", At: earlierTime.Add(time.Second), Data: []byte("second")},
	}
)

// earlier returns what a release with format 1 has written.
func earlier(t *testing.T, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", "format-1", name))
	must(t, err)
	return content
}
