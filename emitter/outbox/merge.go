package outbox

import "bytes"

// merger walks through several layers at once. Of records with the same key it
// takes the one of the newest layer, and leaves it out if it was deleted.
type merger struct {
	prefix   []byte
	descends bool
	sources  []source // the newest first
}

// source yields the records of one layer. key is nil at its end, value for a
// record that was deleted.
type source struct {
	key, value []byte
	next       func() (key, value []byte)
}

// add adds a source below the others. next returns its first record, and with
// each call the one after it.
func (m *merger) add(next func() (key, value []byte)) {
	s := source{next: next}
	if m.advance(&s); s.key != nil {
		m.sources = append(m.sources, s)
	}
}

// run yields the merged records.
func (m *merger) run(yield func(key, value []byte) bool) {
	for {
		top := m.top()
		if top == nil {
			return
		}
		key, value := top.key, top.value
		for i := range m.sources {
			if s := &m.sources[i]; s.key != nil && bytes.Equal(s.key, key) {
				m.advance(s)
			}
		}
		if isDeleted := value == nil; !isDeleted && !yield(key, value) {
			return
		}
	}
}

// top returns the source whose record comes first, nil at the end.
func (m *merger) top() (top *source) {
	for i := range m.sources {
		s := &m.sources[i]
		if s.key == nil {
			continue
		}
		if top == nil {
			top = s
		} else if order := bytes.Compare(s.key, top.key); order < 0 && !m.descends || order > 0 && m.descends {
			top = s
		}
	}
	return top
}

func (m *merger) advance(s *source) {
	s.key, s.value = s.next()
	if !bytes.HasPrefix(s.key, m.prefix) {
		s.key = nil
	}
}

// ascend returns a function that returns the records of a bucket one by one, in
// the order of their keys, from start on.
func (o *overlay) ascend(b bucket, start []byte) func() (key, value []byte) {
	tree := *o.tree(b)
	if tree == nil {
		return noRecords
	}
	it := tree.Iter()
	from := record{key: appendKey(nil, b, start)}
	found, isFirst := it.Seek(from), true
	return func() (key, value []byte) {
		if !isFirst && found {
			found = it.Next()
		}
		isFirst = false
		return itemOf(it.Item, found)
	}
}

// descend is ascend in the opposite order, from the last key before end on.
func (o *overlay) descend(b bucket, end []byte) func() (key, value []byte) {
	tree := *o.tree(b)
	if tree == nil {
		return noRecords
	}
	it := tree.Iter()
	isBehindAll := !it.Seek(record{key: appendKey(nil, b, end)})
	found := true
	return func() (key, value []byte) {
		if isBehindAll {
			isBehindAll, found = false, it.Last()
		} else if found {
			found = it.Prev()
		}
		return itemOf(it.Item, found)
	}
}

// itemOf returns the key and value of an overlay's record, nil if there is none.
func itemOf(item func() record, found bool) (key, value []byte) {
	if !found {
		return nil, nil
	}
	r := item()
	return r.key[1:], r.value
}

func noRecords() (key, value []byte) { return nil, nil }
