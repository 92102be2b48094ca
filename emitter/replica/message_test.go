package replica

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestWhatIsPackedIsReadAgainWhateverItsSize(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		limit := rapid.IntRange(200, 2000).Draw(r, "max message")
		var want []Sighting
		for k := range rapid.IntRange(1, 20).Draw(r, "sightings") {
			data := rapid.SliceOfN(rapid.Byte(), 0, 100).Draw(r, "data")
			repeated := rapid.IntRange(1, 60).Draw(r, "repeated")
			want = append(want, Sighting{
				K: uint64(k + 1), Participant: rapid.StringN(0, 20, 20).Draw(r, "participant"), At: at(k),
				Data: []byte(strings.Repeat(string(data), repeated)),
			})
		}
		var a Assembler
		var got []Sighting
		for number, message := range pack(r, "one", limit, want) {
			if len(message) > limit {
				r.Fatalf("a message has %d bytes, more than %d", len(message), limit)
			}
			incarnation, sightings, _, err := a.Add(uint64(number+1), message)
			if incarnation != "one" || err != nil {
				r.Fatalf("message %d is of %q, %v", number, incarnation, err)
			}
			got = append(got, sightings...)
		}
		if diff := cmp.Diff(want, got, sameBytes); diff != "" {
			r.Errorf("what was read differs (-want +got):\n%s", diff)
		}
		if a.bytes != 0 || a.Floor(7) != 7 {
			r.Errorf("%d bytes are kept, and the floor of 7 is %d", a.bytes, a.Floor(7))
		}
	})
}

func TestPartsThatNeverEndAreDropped(t *testing.T) {
	long := func(k uint64) []Sighting {
		return []Sighting{{K: k, Participant: "p", At: at(0), Data: []byte(strings.Repeat(fmt.Sprint(k), 900))}}
	}
	short := []Sighting{{K: 2, Participant: "p", At: at(0), Data: []byte("s")}}
	first := func(incarnation string, k uint64) []byte { return pack(t, incarnation, 400, long(k))[0] }
	var a Assembler
	add := func(number uint64, message []byte) []Sighting {
		t.Helper()
		_, sightings, _, err := a.Add(number, message)
		must(t, err)
		return sightings
	}
	if add(1, first("a", 1)); a.Floor(1) != 0 {
		t.Errorf("the floor is %d while a sighting of message 1 is not whole", a.Floor(1))
	}
	if got := add(2, pack(t, "a", 400, short)[0]); len(got) != 1 || a.Floor(2) != 2 {
		t.Errorf("the next sighting is %v, the floor %d", got, a.Floor(2))
	}
	add(3, first("a", 3))
	again := pack(t, "a", 400, long(3))
	for i, message := range again { // it is sent again from the start
		got := add(uint64(4+i), message)
		if isLast := i == len(again)-1; (len(got) == 1) != isLast {
			t.Errorf("with part %d, %d sightings are whole", i, len(got))
		}
	}
	add(20, first("b", 1))
	add(20+maxUnfinishedSpan, pack(t, "c", 400, short)[0])
	if a.bytes != 0 || len(a.unfinished) != 0 {
		t.Errorf("%d bytes are still kept", a.bytes)
	}
}

func TestUnfinishedSightingsAreBoundedInBytes(t *testing.T) {
	var a Assembler
	data := make([]byte, 20<<20)
	for i := range uint64(5) {
		parts := pack(t, fmt.Sprint("incarnation ", i), 16<<20, []Sighting{{K: 1, Participant: "p", At: at(0), Data: data}})
		if _, _, _, err := a.Add(i+1, parts[0]); err != nil {
			t.Fatal(err)
		}
	}
	if a.bytes > maxUnfinishedBytes || a.bytes == 0 || a.unfinished["incarnation 4"] == nil {
		t.Errorf("%d bytes are kept of %d incarnations", a.bytes, len(a.unfinished))
	}
}

func TestMessagesThatAreDamagedOrNewerAreRefused(t *testing.T) {
	message := pack(t, "one", 400, []Sighting{{K: 1, Participant: "p", At: at(0), Data: []byte("data")}})[0]
	var a Assembler
	for i := range message {
		broken := append([]byte(nil), message...)
		broken[i] ^= 0x40
		_, _, _, err := a.Add(1, broken)
		if want := map[bool]error{true: ErrNewer, false: errDamaged}[i == 0]; !errors.Is(err, want) {
			t.Errorf("with byte %d changed, it returned %v, want %v", i, err, want)
		}
		if _, _, _, err = a.Add(1, message[:i]); !errors.Is(err, errDamaged) {
			t.Errorf("cut at %d, it returned %v", i, err)
		}
	}
}

func TestWhatNoReplicaHasWrittenIsNotTakenForThatOfANewerRelease(t *testing.T) {
	var a Assembler
	for _, text := range []string{"hello", "garbage by hand", "{}", "\xff\xff\xff\xff\xff\xff\xff"} {
		if _, _, _, err := a.Add(1, []byte(text)); !errors.Is(err, errDamaged) || errors.Is(err, ErrNewer) {
			t.Errorf("%q: it returned %v, want %v", text, err, errDamaged)
		}
	}
}

func FuzzAssembler(f *testing.F) {
	for _, data := range []string{"", "short", strings.Repeat("long", 400)} {
		for _, message := range pack(f, "one", 400, []Sighting{{K: 7, Participant: "p", At: at(0), Data: []byte(data)}}) {
			f.Add(message[messageHeaderSize:])
		}
	}
	f.Fuzz(func(t *testing.T, compressed []byte) {
		var a Assembler
		for number := range uint64(2) {
			_, sightings, _, err := a.Add(number+1, sealed(compressed))
			if err != nil && !errors.Is(err, errDamaged) {
				t.Errorf("it returned %v", err)
			}
			for _, s := range sightings {
				if s.K == 0 || len(s.Data) > maxSighting {
					t.Errorf("sighting %d has %d bytes", s.K, len(s.Data))
				}
			}
		}
		if a.bytes > maxUnfinishedBytes {
			t.Errorf("it keeps %d bytes", a.bytes)
		}
	})
}
