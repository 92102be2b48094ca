package replica

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// spilled returns the content of a file with sightings 1 to 5, and where each record ends.
func spilled(t *testing.T) (content []byte, ends []int) {
	t.Helper()
	d := newTestDisk(nil)
	s, err := createSpill(d, newHeader("one", func(to []byte) { copy(to, "markmark") }))
	must(t, err)
	for k := range uint64(5) {
		data := strings.Repeat(fmt.Sprint(k+1), 20)
		must(t, s.append([]Sighting{{K: k + 1, Participant: "p", At: at(int(k)), Data: []byte(data)}}, 1<<20))
		ends = append(ends, int(s.end))
	}
	return d.files[s.name].content, ends
}

// open returns the numbers of the sightings in a file, and how many gaps there are.
func open(t *testing.T, content []byte) (ks []uint64, damaged int) {
	t.Helper()
	s, err := openSpill(newTestDisk(map[string][]byte{"spill-one": content}), "spill-one")
	must(t, err)
	err = s.records(spillHeaderSize, func(r *record) bool {
		if want := strings.Repeat(fmt.Sprint(r.K), 20); string(r.Data) != want || r.Participant != "p" || !r.At.Equal(at(int(r.K-1))) {
			t.Errorf("record %d is %v", r.K, r.Sighting)
		}
		ks = append(ks, r.K)
		return true
	})
	must(t, err)
	if s.incarnation != "one" {
		t.Errorf("it is of %q", s.incarnation)
	}
	return ks, s.damaged
}

func TestATornTailCostsNothingThatWasWhole(t *testing.T) {
	content, ends := spilled(t)
	for size := range len(content) + 1 {
		var want []uint64
		for i, end := range ends {
			if end <= size {
				want = append(want, uint64(i+1))
			}
		}
		if got, damaged := open(t, content[:size]); !slices.Equal(got, want) || damaged != 0 {
			t.Errorf("cut to %d bytes, it has %d, want %d, and %d gaps", size, got, want, damaged)
		}
		zeros := slices.Concat(content[:size], make([]byte, 100))
		if got, _ := open(t, zeros); size >= spillHeaderSize && !slices.Equal(got, want) {
			t.Errorf("with zeros from byte %d on, it has %d, want %d", size, got, want)
		}
	}
}

func TestADamagedRecordCostsNoOther(t *testing.T) {
	content, ends := spilled(t)
	for i := range content {
		broken := slices.Clone(content)
		broken[i] ^= 0x10
		want, gaps := []uint64{1, 2, 3, 4, 5}, 0
		if i >= spillHeaderSize {
			hit := slices.IndexFunc(ends, func(end int) bool { return i < end })
			want = slices.Delete(want, hit, hit+1)
			gaps = map[bool]int{true: 1}[hit < 4] // at the end, it is taken for a torn one
		}
		if got, damaged := open(t, broken); !slices.Equal(got, want) || damaged != gaps {
			t.Errorf("with byte %d changed, it has %d, want %d, and %d gaps, want %d", i, got, want, damaged, gaps)
		}
	}
}

func TestARecordInTheDataOfAParticipantIsNotTakenForOne(t *testing.T) {
	d := newTestDisk(nil)
	s, err := createSpill(d, newHeader("one", func(to []byte) { copy(to, "markmark") }))
	must(t, err)
	forged := appendRecord(nil, [markSize]byte{1}, &Sighting{K: 9, Participant: "x"})
	must(t, s.append([]Sighting{{K: 1, Participant: "p", At: at(0), Data: forged}, {K: 2, Participant: "p", At: at(0)}}, 1<<20))
	content := d.files[s.name].content
	content[spillHeaderSize] ^= 1
	got, err := openSpill(newTestDisk(map[string][]byte{s.name: content}), s.name)
	must(t, err)
	must(t, got.records(spillHeaderSize, func(r *record) bool {
		if r.K != 2 {
			t.Errorf("record %d of %q was found", r.K, r.Participant)
		}
		return true
	}))
}

func TestASpillOfANewerReleaseIsLeftAlone(t *testing.T) {
	d := newTestDisk(nil)
	s, err := createSpill(d, newHeader("one", func([]byte) {}))
	must(t, err)
	content := d.files[s.name].content
	content[12] = spillFormat + 1
	h := spillHeader{format: spillFormat, incarnation: "one"}
	newer := h.encode()
	newer[12] = spillFormat + 1
	copy(newer, checksum(newer[4:]))
	if _, err := openSpill(newTestDisk(map[string][]byte{s.name: newer}), s.name); !errors.Is(err, ErrNewer) {
		t.Errorf("it returned %v", err)
	}
}

func TestASpillBelongsToOneProcessAtATime(t *testing.T) {
	d := osDisk(filepath.Join(t.TempDir(), "state"))
	if names, err := d.names(spillPrefix); len(names) != 0 || err != nil {
		t.Fatalf("a folder that does not exist has %q, %v", names, err)
	}
	s, err := createSpill(d, newHeader("one", func([]byte) {}))
	must(t, err)
	must(t, s.append([]Sighting{{K: 1, Participant: "p", At: at(0)}}, 1<<20))
	if _, err := openSpill(d, s.name); !errors.Is(err, errLocked) {
		t.Errorf("the second one who opened it got %v", err)
	}
	must(t, s.file.Close())
	again, err := openSpill(d, s.name)
	must(t, err)
	must(t, again.remove())
	if entries, err := os.ReadDir(string(d)); len(entries) != 0 || err != nil {
		t.Errorf("%d files are left, %v", len(entries), err)
	}
}

func FuzzSpill(f *testing.F) {
	h := spillHeader{format: spillFormat, incarnation: "one"}
	f.Add(appendRecord(h.encode(), h.mark, &Sighting{K: 1, Participant: "p", At: at(0), Data: []byte("data")}))
	f.Fuzz(func(t *testing.T, content []byte) {
		s, err := openSpill(newTestDisk(map[string][]byte{"spill-one": content}), "spill-one")
		if err != nil {
			return
		}
		last := uint64(0)
		must(t, s.records(spillHeaderSize, func(r *record) bool {
			if r.K <= last || r.next > int64(len(content)) {
				t.Errorf("record %d after %d ends at %d", r.K, last, r.next)
			}
			last = r.K
			return true
		}))
	})
}
