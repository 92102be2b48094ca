package outbox

import (
	"bytes"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"
)

// A record whose seal is broken counts as missing wherever it is read. Whoever
// meets it notes that, and the next commit sets it aside:
//
//	reader ─ note ─► change ─┐
//	change ──────────────────┴─► Tx.note ─► setAside ─► damaged
//	                                          │
//	                                          └─► repair: what else has to go, or to change
//
// What an index lacks then is put back by an audit.

const (
	// maxDamaged is how many damaged records are listed; the oldest go first.
	maxDamaged = 1000
	// maxDamagedContent is how many bytes of one are kept.
	maxDamagedContent = 4 << 10
	// maxNoted bounds how many damaged records readers remember to have noted.
	maxNoted = 10_000
)

// Damaged describes a record that was found damaged and set aside.
type Damaged struct {
	Found time.Time
	// Kind is the bucket that the record was in.
	Kind string
	// ID and Target are those of the delivery that it belonged to, as far as they
	// could still be read.
	ID, Target string
	// Seq is that of the delivery, 0 for a record of something else.
	Seq uint64
	// Bytes is the size of the record.
	Bytes int
}

// Damaged lists what was set aside, the newest first, up to limit.
func (s *Store) Damaged(limit int) (found []Damaged, err error) {
	err = s.view(func(v *view) error {
		found = v.damagedRecords(limit)
		return nil
	})
	return found, err
}

func (v *view) damagedRecords(limit int) (found []Damaged) {
	for _, value := range v.descend(bucketDamaged, nil, []byte{0xff}) {
		if len(found) == limit {
			break
		}
		if d, ok := decodeDamaged(value); ok {
			found = append(found, d)
		}
	}
	return found
}

func (d Damaged) encode(content []byte) []byte {
	var e encoder
	e.time(d.Found)
	for _, text := range []string{d.Kind, d.ID, d.Target} {
		e.text(text)
	}
	e.uint(d.Seq)
	e.uint(uint64(d.Bytes))
	e.bytes(content[:min(len(content), maxDamagedContent)])
	return e
}

func decodeDamaged(record []byte) (d Damaged, ok bool) {
	in := decoder{rest: record}
	d.Found = in.time()
	for _, text := range []*string{&d.Kind, &d.ID, &d.Target} {
		*text = in.text()
	}
	d.Seq, d.Bytes = in.uint(), int(in.uint())
	return d, in.err == nil
}

// noted is a record that was found damaged.
type noted struct {
	bucket bucket
	key    string
	sealed []byte
}

// note remembers a damaged record until the end of the transaction. It panics with
// errCorrupt for one of meta that nothing can replace.
func (tx *Tx) note(b bucket, key, sealed []byte) {
	if b == bucketMeta && !bytes.Equal(key, keyLedger) {
		panic(errCorrupt)
	}
	id := string(appendKey(nil, b, key))
	if _, isKnown := tx.noted[id]; isKnown {
		return
	}
	if tx.noted == nil {
		tx.noted = map[string]noted{}
	}
	tx.noted[id] = noted{b, string(key), bytes.Clone(sealed)}
	tx.toSetAside = append(tx.toSetAside, tx.noted[id])
}

// dangles notes a record of an index that leads to no delivery which can be read.
func (v *view) dangles(b bucket, key []byte) {
	if v.damaged != nil {
		v.damaged(b, key, nil)
	}
}

// setAside moves what was noted to the damaged records, and repairs what depends on it.
func (tx *Tx) setAside() {
	for len(tx.toSetAside) > 0 {
		n := tx.toSetAside[0]
		tx.toSetAside = tx.toSetAside[1:]
		if hasGone := n.sealed == nil && !tx.has(n.bucket, []byte(n.key)); hasGone {
			continue
		}
		d := Damaged{Found: tx.now, Kind: bucketNames[n.bucket], Bytes: max(len(n.sealed)-sealSize, 0)}
		content := tx.repair(n, &d)
		tx.putDamaged(d, content)
	}
}

func (tx *Tx) putDamaged(d Damaged, content []byte) {
	seq := tx.nextSequence(bucketDamaged)
	tx.put(bucketDamaged, uint64Key(seq), d.encode(content))
	if seq > maxDamaged {
		tx.delete(bucketDamaged, uint64Key(seq-maxDamaged))
	}
	tx.After(func() { tx.damage.report(d) })
}

// EraseDamaged deletes what is kept of damaged records: nobody can say whose they
// were.
func (tx *Tx) EraseDamaged() {
	var keys [][]byte
	for key := range tx.view.ascend(bucketDamaged, nil, nil) {
		keys = append(keys, append([]byte(nil), key...))
	}
	for _, key := range keys {
		tx.delete(bucketDamaged, key)
	}
}

// damageReport counts and logs damaged records.
type damageReport struct {
	log     *slog.Logger
	total   *prometheus.CounterVec
	logEach rate.Sometimes

	mu sync.Mutex
	// noted are the records that readers have noted.
	noted map[string]struct{}
}

func newDamageReport(log *slog.Logger, metrics prometheus.Registerer) *damageReport {
	d := &damageReport{
		log: log, noted: map[string]struct{}{}, logEach: rate.Sometimes{First: 20, Interval: time.Second},
		total: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sidehook_store_damaged_records_total",
			Help: "Records of the state file that were found damaged and set aside, by what they were.",
		}, []string{"kind"}),
	}
	for b := range bucketCount {
		d.total.WithLabelValues(bucketNames[b])
	}
	if metrics != nil {
		metrics.MustRegister(d.total)
	}
	return d
}

func (d *damageReport) report(one Damaged) {
	d.total.WithLabelValues(one.Kind).Inc()
	d.logEach.Do(func() {
		d.log.Error("a record of the state file is damaged and was set aside: look for a failing disk, and list what is damaged with: sidehook damaged",
			"kind", one.Kind, "delivery", one.ID, "target", one.Target, "seq", one.Seq)
	})
}

// isNew reports whether a reader is the first to note a record.
func (d *damageReport) isNew(id string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, isKnown := d.noted[id]; isKnown || len(d.noted) >= maxNoted {
		return false
	}
	d.noted[id] = struct{}{}
	return true
}

// noteDamage has the writer set a record aside that a reader found damaged.
func (s *Store) noteDamage(b bucket, key, _ []byte) {
	if !s.damage.isNew(string(appendKey(nil, b, key))) {
		return
	}
	key = append([]byte(nil), key...)
	if r := s.writer.replication; r != nil {
		r.suspect(b, key)
		return
	}
	s.changes.tryAdd(change{apply: func(tx *Tx) { tx.verify(b, key) }, done: make(chan struct{}), isAwaited: true})
}

// verify notes a record if it is damaged, or leads to no delivery.
func (tx *Tx) verify(b bucket, key []byte) {
	if tx.get(b, key) == nil || b != bucketReady && b != bucketDone {
		return
	}
	seq := lastUint64(key)
	p := tx.progress(seq)
	if p == nil || (p.State == Waiting) != (b == bucketReady) || !tx.has(bucketDeliveries, uint64Key(seq)) {
		tx.note(b, key, nil)
	}
}
