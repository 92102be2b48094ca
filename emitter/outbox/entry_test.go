package outbox

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
)

// Entries have records of the state file: a release that raises the format of the one
// raises that of the other.
func TestEntriesHaveAFormatForEachFormatOfTheFile(t *testing.T) {
	if currentFormat() != 2 || entryFormat != 1 {
		t.Errorf("entries of format %d have records of format %d", entryFormat, currentFormat())
	}
}

// The log has these numbers.
func TestStoredValuesOfEntryKindsStay(t *testing.T) {
	for n, name := range []string{"unknown", "changes", "part", "beat", "lead", "leave", "snapshot", "scrub", "unknown"} {
		if got := entryKind(n).String(); got != name {
			t.Errorf("kind %d is %s, want %s", n, got, name)
		}
	}
}

func TestEntryIsReadOnlyWhereItWasWritten(t *testing.T) {
	before := place{log: chain{1}, index: 6, number: 9, chain: chain{2}}
	encoded, behind := before.add(entryBeat, "ann", []byte("data"))
	f := func(at place, number uint64, b []byte, want error) {
		t.Helper()
		e, got, err := at.pass(number, b)
		if !errors.Is(err, want) {
			t.Fatalf("it returned %v, want %v", err, want)
		}
		if err == nil && (got != behind || e.kind != entryBeat || e.leader != "ann" || string(e.data) != "data") {
			t.Errorf("it read %+v and got to %+v", e, got)
		}
	}
	f(before, 10, encoded, nil)
	f(before, 11, encoded, errForeign)
	f(place{index: 5, number: 9, chain: before.chain}, 10, encoded, errForeign)
	f(place{index: 6, number: 9, chain: chain{3}}, 10, encoded, errForeign)
	for i := range encoded {
		forged := bytes.Clone(encoded)
		forged[i] ^= 0xff
		if _, _, err := before.pass(10, forged); err == nil {
			t.Errorf("it read an entry whose byte %d is another", i)
		}
	}
	newer := bytes.Clone(encoded)
	newer[0] = 2
	f(before, 10, newer, ErrNewer)
	newer[0], newer[1] = 1, byte(entryKindEnd)
	f(before, 10, newer, ErrNewer)
	f(before, 10, newer, errStranger)
	f(before, 10, []byte("garbage by hand"), errStranger)
	newer[0] = 2
	after := chainOf(before.chain, newer)
	copy(newer[chainAt:], after[:])
	if _, _, err := before.pass(10, newer); !errors.Is(err, ErrNewer) || errors.Is(err, errStranger) {
		t.Errorf("of one that a newer release has written, it returned %v", err)
	}
	f(before, 10, nil, errEntry)
	f(before, 10, encoded[:entryHeader], errEntry)
	if _, err := behind.check(10, encoded); err != nil {
		t.Errorf("check returned %v", err)
	}
	if _, err := before.check(9, encoded); !errors.Is(err, errForeign) {
		t.Errorf("check of another one returned %v", err)
	}
}

func TestPlaceIsReadAsItWasWritten(t *testing.T) {
	p := place{log: chain{1}, index: 2, number: 3, chain: chain{4}}
	if got, ok := decodePlace(p.encode()); !ok || got != p {
		t.Errorf("it is %+v", got)
	}
	if _, ok := decodePlace(nil); ok {
		t.Error("nothing is a place")
	}
}

func TestChangesKeepTheirSealsInAnEntry(t *testing.T) {
	changes := newOverlay()
	changes.set(newRecord(bucketPages, []byte("page"), bytes.Repeat([]byte("long "), 10_000)))
	changes.set(newRecord(bucketIDs, []byte("gone"), nil))
	changes.set(newRecord(sequences, []byte{byte(bucketIDs)}, uint64Key(7)))
	data := encodeChanges(changes)
	if len(data) > 5000 {
		t.Errorf("they take %d bytes", len(data))
	}
	got, err := decodeChanges(data)
	if err != nil {
		t.Fatal(err)
	}
	list := func(o *overlay) (all string) {
		for r := range o.all() {
			all += fmt.Sprintf("%q: %q %t\n", r.key, r.value, r.value == nil)
		}
		return all
	}
	if list(got) != list(changes) {
		t.Errorf("they are\n%s, want\n%s", list(got), list(changes))
	}
}

func FuzzEntry(f *testing.F) {
	changes := newOverlay()
	changes.set(newRecord(bucketPages, []byte("page"), []byte("value")))
	encoded, _ := place{}.add(entryChanges, "ann", encodeChanges(changes))
	f.Add(encoded)
	f.Add(encoded[:entryHeader])
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := decodeEntry(b)
		if err != nil {
			return
		}
		if again := e.encode(chain{}); !bytes.Equal(again[entryHeader:], b[entryHeader:]) && len(again) > len(b) {
			t.Errorf("%q became %q", b, again)
		}
		if got, err := decodeChanges(e.data); err == nil {
			if _, err := decodeChanges(encodeChanges(got)); err != nil {
				t.Errorf("changes cannot be read again: %v", err)
			}
		}
	})
}
