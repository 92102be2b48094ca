package outbox

import (
	"bytes"
	"iter"

	"github.com/tidwall/btree"
)

const (
	// overlayDegree makes small nodes, since a commit copies those that it changes.
	overlayDegree = 16
	// recordOverhead is about what a record of an overlay takes beside its key and value.
	recordOverhead = 100
	// sequences stands in place of a bucket in the keys of the buckets' sequences.
	sequences = bucket(0xff)
	// strays stands in place of a bucket in the keys of pieces to be deleted.
	strays = bucket(0xfe)
)

// record is the newest value of a key. Its key is the number of its bucket and
// then the key within the bucket. value ends with its seal, except for that of a
// sequence; it is nil for one that was deleted.
type record struct{ key, value []byte }

// overlay is a sorted set of records that replace those of the layers below it.
type overlay struct {
	// trees has one for each bucket, and the last for the sequences and strays; nil if it is empty.
	trees [bucketCount + 1]*btree.BTreeG[record]
	// memory is about how many bytes it takes, grown by how many the state file
	// grows once it has the records.
	memory, grown int
}

func newOverlay() *overlay { return &overlay{} }

// tree returns the tree that has a key, nil if it is empty.
func (o *overlay) tree(b bucket) **btree.BTreeG[record] { return &o.trees[min(b, bucketCount)] }

// get returns the value of a key, nil if it was deleted. ok reports whether the
// overlay has the key.
func (o *overlay) get(key []byte) (value []byte, ok bool) {
	tree := *o.tree(bucket(key[0]))
	if tree == nil {
		return nil, false
	}
	r, ok := tree.Get(record{key: key})
	return r.value, ok
}

// set adds or replaces a record. The overlay keeps its bytes.
func (o *overlay) set(r record) {
	tree := o.tree(bucket(r.key[0]))
	if *tree == nil {
		*tree = btree.NewBTreeGOptions(isLess, btree.Options{NoLocks: true, Degree: overlayDegree})
	}
	o.memory += len(r.key) + len(r.value) + recordOverhead
	if old, ok := (*tree).Set(r); ok {
		o.memory -= len(old.key) + len(old.value) + recordOverhead
	}
}

func isLess(a, b record) bool { return bytes.Compare(a.key, b.key) < 0 }

// all yields all records, in the order of their keys.
func (o *overlay) all() iter.Seq[record] {
	return func(yield func(record) bool) {
		for _, tree := range o.trees {
			if tree == nil {
				continue
			}
			goesOn := true
			tree.Scan(func(r record) bool { goesOn = yield(r); return goesOn })
			if !goesOn {
				return
			}
		}
	}
}

// add adds the records of a newer overlay.
func (o *overlay) add(newer *overlay) {
	for r := range newer.all() {
		o.set(r)
	}
	o.grown += newer.grown
}

// snapshot returns a copy that stays as it is. The two share what they do not
// change, so that it takes no time.
func (o *overlay) snapshot() *overlay {
	s := &overlay{memory: o.memory, grown: o.grown}
	for n, tree := range o.trees {
		if tree != nil {
			s.trees[n] = tree.Copy()
		}
	}
	return s
}

func (o *overlay) isEmpty() bool { return o.memory == 0 }

// appendKey appends the key of a record in a bucket.
func appendKey(to []byte, b bucket, key []byte) []byte {
	return append(append(to, byte(b)), key...)
}

// fileSize returns about how much of the state file a record takes. A piece of a
// long one has a page.
func fileSize(key, value []byte) int {
	if size := len(key) + len(value) + elementSize; size < pieceSize {
		return size
	}
	return (len(value)/pieceSize + 1) * pageSize
}

// newRecord copies a key and a value; a nil value is that of a deleted record.
func newRecord(b bucket, key, value []byte) record {
	size := 1 + len(key)
	both := appendKey(make([]byte, 0, size+len(value)+sealSize), b, key)
	if value == nil {
		return record{key: both}
	}
	if both = append(both, value...); b != sequences {
		both = seal(both)
	}
	return record{key: both[:size:size], value: both[size:]}
}
