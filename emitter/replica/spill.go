package replica

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"
)

// spillPrefix is how the names of spill files begin. The incarnation follows.
const spillPrefix = "spill-"

// errSpillFull is the error of sightings for which MaxSpill leaves no room.
var errSpillFull = errors.New("it is as large as it may be (retention.size)")

// spill is a file of sightings of one incarnation that are not known to be seen by all.
// It is for one goroutine.
type spill struct {
	disk disk
	name string
	file file
	spillHeader
	// start is where the first record begins that is not known to be seen, end where the
	// last one ends.
	start, end int64
	// last is the K of the last record.
	last uint64
	// damaged is how many gaps between sound records were found that nobody has counted
	// yet, each of at least one sighting; checked is up to where they were looked for.
	damaged int
	checked int64
}

// createSpill creates the file of an incarnation.
func createSpill(d disk, h spillHeader) (*spill, error) {
	s := &spill{disk: d, name: spillPrefix + h.incarnation, spillHeader: h, start: spillHeaderSize, end: spillHeaderSize, checked: spillHeaderSize}
	f, err := d.open(s.name)
	if err != nil {
		return nil, err
	}
	_, err = f.WriteAt(h.encode(), 0)
	if err = cmp.Or(err, f.Sync(), d.sync()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	s.file = f
	return s, nil
}

// openSpill opens the file of an earlier incarnation.
func openSpill(d disk, name string) (*spill, error) {
	f, err := d.open(name)
	if err != nil {
		return nil, err
	}
	s := &spill{disk: d, name: name, file: f, start: spillHeaderSize, checked: spillHeaderSize}
	if err := s.readHeader(); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return s, nil
}

// readHeader reads the header. If it is damaged, the first record tells the mark.
func (s *spill) readHeader() (err error) {
	if s.end, err = s.file.size(); err != nil {
		return err
	}
	w := window{file: s.file, end: s.end}
	data, err := w.bytes(0, spillHeaderSize+recordHeaderSize)
	if err != nil {
		return err
	}
	s.spillHeader, err = parseSpillHeader(data)
	if errors.Is(err, errDamaged) {
		s.incarnation, s.format, err = strings.TrimPrefix(s.name, spillPrefix), spillFormat, nil
		if len(data) == spillHeaderSize+recordHeaderSize {
			copy(s.mark[:], data[spillHeaderSize+8:])
		}
	}
	return err
}

// append adds sightings that take room bytes at most, and returns once they are
// durable. After an error, none of them was added.
func (s *spill) append(sightings []Sighting, room int64) error {
	var records []byte
	for i := range sightings {
		records = appendRecord(records, s.mark, &sightings[i])
	}
	if int64(len(records)) > room {
		return errSpillFull
	}
	if _, err := s.file.WriteAt(records, s.end); err != nil {
		return err
	}
	if err := s.file.Sync(); err != nil {
		return err
	}
	s.end += int64(len(records))
	s.last = sightings[len(sightings)-1].K
	return nil
}

// records calls fn with each sound record from a place on until it returns false, blank
// ones included. It passes over what is damaged.
func (s *spill) records(from int64, fn func(r *record) (goesOn bool)) error {
	w := window{file: s.file, format: s.format, mark: s.mark, end: s.end}
	for last := uint64(0); ; {
		r, ok, err := w.record(from)
		if err != nil || !ok {
			return err
		}
		isNew := r.K > last // the others are from before the file was emptied
		if r.at > from && r.next > s.checked && isNew {
			s.damaged++
		}
		from, s.checked = r.next, max(s.checked, r.next)
		if !isNew {
			continue
		}
		if last = r.K; !fn(&r) {
			return nil
		}
	}
}

// blank overwrites the sightings of a participant.
func (s *spill) blank(participant string) (err error) {
	var failed error
	err = s.records(spillHeaderSize, func(r *record) bool {
		if r.kind == kindSighting && r.Participant == participant {
			_, failed = s.file.WriteAt(blankRecord(s.mark, r.K, int(r.next-r.at)), r.at)
		}
		return failed == nil
	})
	if err = cmp.Or(failed, err); err != nil {
		return fmt.Errorf("cannot overwrite what was spilled of a participant: %w", err)
	}
	return s.file.Sync()
}

// empty removes all records, if there are any.
func (s *spill) empty() error {
	if s.end == spillHeaderSize {
		return nil
	}
	s.start = s.end
	if err := s.file.Truncate(spillHeaderSize); err != nil {
		return err
	}
	s.start, s.end, s.checked = spillHeaderSize, spillHeaderSize, spillHeaderSize
	return nil
}

// remove deletes the file.
func (s *spill) remove() error { return cmp.Or(s.disk.remove(s.name), s.file.Close()) }

// newHeader returns the header of a new file.
func newHeader(incarnation string, random func([]byte)) spillHeader {
	h := spillHeader{format: spillFormat, incarnation: incarnation, created: time.Now()}
	random(h.mark[:])
	return h
}
