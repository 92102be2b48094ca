package outbox

import (
	"bytes"

	"github.com/tidwall/btree"
)

const (
	// overlayDegree makes small nodes, since a commit copies those that it changes.
	overlayDegree = 16
	// recordOverhead is about what a record of an overlay takes beside its key and value.
	recordOverhead = 100
	// sequences stands in place of a bucket in the keys of the buckets' sequences.
	sequences = bucket(0xff)
)

// record is the newest value of a key. Its key is the number of its bucket and
// then the key within the bucket. value is nil for one that was deleted.
type record struct{ key, value []byte }

// overlay is a sorted set of records that replace those of the layers below it.
type overlay struct {
	tree *btree.BTreeG[record]
	// memory is about how many bytes it takes, grown by how many the state file
	// grows once it has the records.
	memory, grown int
}

func newOverlay() *overlay {
	isLess := func(a, b record) bool { return bytes.Compare(a.key, b.key) < 0 }
	return &overlay{tree: btree.NewBTreeGOptions(isLess, btree.Options{NoLocks: true, Degree: overlayDegree})}
}

// get returns the value of a key, nil if it was deleted. ok reports whether the
// overlay has the key.
func (o *overlay) get(key []byte) (value []byte, ok bool) {
	r, ok := o.tree.Get(record{key: key})
	return r.value, ok
}

// set adds or replaces a record. The overlay keeps its bytes.
func (o *overlay) set(r record) {
	o.memory += len(r.key) + len(r.value) + recordOverhead
	if old, ok := o.tree.Set(r); ok {
		o.memory -= len(old.key) + len(old.value) + recordOverhead
	}
}

// add adds the records of a newer overlay.
func (o *overlay) add(newer *overlay) {
	newer.tree.Scan(func(r record) bool { o.set(r); return true })
	o.grown += newer.grown
}

// snapshot returns a copy that stays as it is. The two share what they do not
// change, so that it takes no time.
func (o *overlay) snapshot() *overlay {
	return &overlay{tree: o.tree.Copy(), memory: o.memory, grown: o.grown}
}

func (o *overlay) isEmpty() bool { return o.tree.Len() == 0 }

// appendKey appends the key of a record in a bucket.
func appendKey(to []byte, b bucket, key []byte) []byte {
	return append(append(to, byte(b)), key...)
}

// fileSize returns about how much of the state file a record takes. A large one
// has pages of its own.
func fileSize(key, value []byte) int {
	const page = 4096
	size := len(key) + len(value) + elementSize
	if size < page/2 {
		return size
	}
	return (pageHeaderSize + size + page - 1) / page * page
}

// newRecord copies a key and a value; a nil value is that of a deleted record.
func newRecord(b bucket, key, value []byte) record {
	size := 1 + len(key)
	both := appendKey(make([]byte, 0, size+len(value)), b, key)
	if value == nil {
		return record{key: both}
	}
	both = append(both, value...)
	return record{key: both[:size:size], value: both[size:]}
}
