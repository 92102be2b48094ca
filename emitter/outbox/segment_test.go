package outbox

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// changesOf makes an overlay with some records.
func changesOf(records ...record) *overlay {
	o := newOverlay()
	for _, r := range records {
		o.set(r)
	}
	return o
}

// textOf returns the records of an overlay, one per line.
func textOf(o *overlay) (text string) {
	for r := range o.all() {
		text += fmt.Sprintf("%q %q %v\n", r.key, r.value, r.value == nil)
	}
	return text
}

// exampleSegment is a segment with three records, after the position 9, 4, 70.
func exampleSegment() (data []byte, after position, ends []int) {
	after = position{9, 4, 70}
	p := position{9, 5, 70}
	for n := range 3 {
		p.seq++
		data = appendRecord(data, p, changesOf(
			newRecord(bucketPages, fmt.Append(nil, "page ", n), bytes.Repeat([]byte("x"), 200)),
			newRecord(bucketPages, []byte("empty"), []byte{}),
			newRecord(bucketReady, fmt.Append(nil, "gone ", n), nil),
			newRecord(sequences, []byte{byte(bucketTargets)}, uint64Key(uint64(n))),
		))
		ends = append(ends, len(data))
	}
	return data, after, ends
}

func TestSegmentIsReadAsItWasWritten(t *testing.T) {
	data, after, _ := exampleSegment()
	s := parseSegment(append(data, make([]byte, 1000)...), after)
	if s.last != (position{9, 5, 73}) || s.length != int64(len(data)) || s.damaged > 0 {
		t.Errorf("read to %+v, %d of %d bytes, %d damaged", s.last, s.length, len(data), s.damaged)
	}
	want := changesOf(
		newRecord(bucketPages, []byte("empty"), []byte{}),
		newRecord(sequences, []byte{byte(bucketTargets)}, uint64Key(2)),
	)
	for n := range 3 {
		want.set(newRecord(bucketPages, fmt.Append(nil, "page ", n), bytes.Repeat([]byte("x"), 200)))
		want.set(newRecord(bucketReady, fmt.Append(nil, "gone ", n), nil))
	}
	if diff := cmp.Diff(textOf(want), textOf(s.changes)); diff != "" {
		t.Errorf("changes (-written +read):\n%s", diff)
	}
}

func TestSegmentEndsWithTheFirstRecordThatIsNotItsNext(t *testing.T) {
	data, after, ends := exampleSegment()
	f := func(name string, wantSeq uint64, wantDamage bool, content []byte, after position) {
		t.Helper()
		s := parseSegment(content, after)
		if s == nil {
			s = &segment{last: after}
		}
		if s.last.seq != wantSeq || (s.damaged > 0) != wantDamage {
			t.Errorf("%s: read to record %d, %d damaged; want %d, %v", name, s.last.seq, s.damaged, wantSeq, wantDamage)
		}
	}
	flip := func(at int) []byte { d := slices.Clone(data); d[at] ^= 1; return d }
	for at := ends[1]; at < ends[2]; at++ {
		f("torn", 72, false, data[:at], after)
		f("a byte of the last record is wrong", 72, false, flip(at), after)
	}
	f("a byte of the record in the middle is wrong", 73, true, flip(ends[0]+50), after)
	f("the first record is wrong", 73, true, flip(50), after)
	f("two records are wrong", 73, true, append(flip(50)[:ends[0]], flip(ends[0] + 50)[ends[0]:]...), after)
	f("of another state file", 70, false, data, position{8, 4, 70})
	f("an earlier segment", 70, false, data, position{9, 5, 70})
	f("the segment before is not complete", 73, true, data, position{9, 4, 69})
	f("empty", 70, false, nil, after)
	earlier := appendRecord(nil, position{9, 3, 74}, changesOf())
	f("remains of an earlier segment follow", 73, false, slices.Concat(data, earlier), after)
}

// Whatever a file holds, reading it ends, and what was read can be written again.
func FuzzParseSegment(f *testing.F) {
	data, after, ends := exampleSegment()
	f.Add(data)
	f.Add(data[ends[0]:])
	f.Add(appendRecord(nil, position{9, 5, 71}, changesOf(record{key: []byte{0xff, 0xff}})))
	f.Fuzz(func(t *testing.T, content []byte) {
		s := parseSegment(content, after)
		if s == nil {
			return
		}
		if s.length > int64(len(content)) {
			t.Fatalf("read %d of %d bytes", s.length, len(content))
		}
		again := parseSegment(appendRecord(nil, position{9, 5, 71}, s.changes), after)
		if again == nil || again.damaged > 0 || textOf(again.changes) != textOf(s.changes) {
			t.Fatalf("written again it is\n%+v\nnot\n%+v", again, s)
		}
	})
}

// The checksum keeps a fuzzer out, so that what is behind it has a target of its own.
func FuzzAddChanges(f *testing.F) {
	data, _, ends := exampleSegment()
	f.Add(data[headerSize:ends[0]])
	f.Fuzz(func(t *testing.T, changes []byte) {
		o := newOverlay()
		if !addChanges(o, changes) {
			return
		}
		again := newOverlay()
		if _, rest, _ := parseRecord(appendRecord(nil, position{}, o)); !addChanges(again, rest) || textOf(again) != textOf(o) {
			t.Fatalf("written again it is\n%s\nnot\n%s", textOf(again), textOf(o))
		}
	})
}
