package outbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	bolt "go.etcd.io/bbolt"
)

// errPages is the error of Check for a file that a start would rescue.
var errPages = errors.New("pages of the state file are damaged: the next start goes on with what the others have in a new file, and keeps the damaged one beside it")

// Report is what Check found.
type Report struct {
	// Format is the format of the state file, Bytes its size.
	Format uint64
	Bytes  int64
	// Commits is the number of those that are in the journal alone.
	Commits uint64
	// Journeys, Parts and Pages are numbers of records.
	Journeys, Parts, Pages int
	// Targets are the numbers of deliveries, by target.
	Targets map[string]Target
	// Unindexed is the number of deliveries that an index lacks. The next start puts
	// them back.
	Unindexed int
	// Damaged are the records that are damaged. The next start sets them aside.
	Damaged []Damaged
	// DamagedCommits is how many commits of the journal are damaged.
	DamagedCommits uint64
	// SetAside are those that were set aside before.
	SetAside []Damaged

	noted map[string]bool
}

// IsSound reports whether nothing is damaged.
func (r *Report) IsSound() bool {
	return len(r.Damaged) == 0 && r.DamagedCommits == 0 && r.Unindexed == 0
}

// Check reads everything in a state directory, or in a copy of a state file, and
// changes nothing. It returns an error if that is in use, or if it is damaged as a
// whole.
func Check(path string) (r *Report, err error) {
	defer guard(&err)()
	defer func() {
		if err != nil {
			err = explain(err)
		}
	}()
	file := path
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		lock, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer lock.Close()
		if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_SH|syscall.LOCK_NB); err != nil {
			return nil, err
		}
		file = filepath.Join(path, fileName)
		info, err = os.Stat(file)
		if err != nil {
			return nil, err
		}
	}
	if err != nil {
		return nil, err
	}
	if err := inspect(file); isDamaged(err) {
		return nil, fmt.Errorf("%w: %w", errPages, err)
	} else if err != nil {
		return nil, err
	}
	db, err := bolt.Open(file, 0o600, &bolt.Options{ReadOnly: true, Timeout: lockTimeout})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, closeDB(db)) }()
	r = &Report{Bytes: info.Size(), noted: map[string]bool{}}
	err = db.View(func(tx *bolt.Tx) error { return r.read(tx, filepath.Dir(file)) })
	return r, err
}

func (r *Report) read(tx *bolt.Tx, dir string) error {
	meta := tx.Bucket(bucketMeta.name())
	if meta == nil || formatOf(meta) == 0 {
		return fmt.Errorf("%s is not a state file of sidehook", fileName)
	}
	if r.Format = formatOf(meta); r.Format != currentFormat() {
		return fmt.Errorf("the state file has format %d, and this release reads format %d only: an older one is brought to it when sidehook starts", r.Format, currentFormat())
	}
	v := &view{bolt: tx, damaged: r.note}
	if err := r.readJournal(v, dir, readPosition(meta)); err != nil {
		return err
	}
	names := r.countTargets(v)
	for key, record := range v.ascend(bucketProgress, nil, nil) {
		r.checkDelivery(v, lastUint64(key), record, names)
	}
	for b := range bucketCount {
		n := 0
		for range v.ascend(b, nil, nil) {
			n++
		}
		switch b {
		case bucketJourneys:
			r.Journeys = n
		case bucketJourneyParts:
			r.Parts = n
		case bucketPages:
			r.Pages = n
		default:
		}
	}
	r.SetAside = v.damagedRecords(maxDamaged)
	return nil
}

// readJournal puts what only the journal has above the state file.
func (r *Report) readJournal(v *view, dir string, after position) error {
	last := after
	for n := range uint64(2) {
		j := journal{dir: dir}
		data, err := os.ReadFile(j.path(after.segment + 1 + n))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		s := parseSegment(data, position{last.state, after.segment + n, last.seq})
		if s == nil {
			continue
		}
		r.DamagedCommits += s.damaged
		v.layers = slices.Insert(v.layers, 0, s.changes)
		last = s.last
	}
	r.Commits = last.seq - after.seq
	return nil
}

// note lists a damaged record once.
func (r *Report) note(b bucket, key, sealed []byte) {
	id := string(appendKey(nil, b, key))
	if r.noted[id] {
		return
	}
	r.noted[id] = true
	d := Damaged{Kind: bucketNames[b], Bytes: max(len(sealed)-sealSize, 0)}
	if b == bucketDeliveries || b == bucketProgress {
		d.Seq = lastUint64(append(make([]byte, 8), key...))
	}
	r.Damaged = append(r.Damaged, d)
}

// countTargets makes the targets, and returns their names by number.
func (r *Report) countTargets(v *view) (names map[uint32]string) {
	names, r.Targets = map[uint32]string{}, map[string]Target{}
	for name, record := range v.ascend(bucketTargets, nil, nil) {
		if t, err := decodeTarget(record); err == nil {
			names[t.number] = string(name)
			t.Pending, t.Dead, t.Delivered = 0, 0, 0
			r.Targets[string(name)] = t.Target
		}
	}
	return names
}

// checkDelivery counts a delivery, and looks for it in the index of its state.
func (r *Report) checkDelivery(v *view, seq uint64, record []byte, names map[uint32]string) {
	p, err := decodeProgress(record)
	if err != nil || p.discarded {
		return
	}
	isIndexed := v.get(bucketDeliveries, uint64Key(seq)) != nil
	t := r.Targets[names[p.target]]
	switch p.State {
	case Dead:
		t.Dead++
		isIndexed = isIndexed && v.get(bucketDone, doneKey(p.target, p.State, p.Finished, seq)) != nil
	case Delivered:
		t.Delivered++
		isIndexed = isIndexed && v.get(bucketDone, doneKey(p.target, p.State, p.Finished, seq)) != nil
	case Waiting:
		t.Pending++
		key := freshKey(p.target, seq)
		if !p.Due.IsZero() {
			key = retryKey(p.target, p.Due, seq)
		}
		isIndexed = isIndexed && v.get(bucketReady, key) != nil
	case Behind:
		t.Pending++
	}
	if !isIndexed {
		r.Unindexed++
	}
	r.Targets[names[p.target]] = t
}
