package outbox

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/sidehook/sidehook/rules/config"
)

// model is what a store must hold, in the simplest form.
type model struct {
	lanes map[string][]string // pending ids of each lane, in order
	loose []string            // redelivered ids, outside the order
	done  map[string]State
	count int
}

func (m *model) clone() *model {
	c := &model{lanes: map[string][]string{}, loose: slices.Clone(m.loose), done: maps.Clone(m.done), count: m.count}
	for name, lane := range m.lanes {
		c.lanes[name] = slices.Clone(lane)
	}
	return c
}

// heads returns the ids that may be sent, sorted.
func (m *model) heads() []string {
	heads := slices.Clone(m.loose)
	for _, lane := range m.lanes {
		if len(lane) > 0 {
			heads = append(heads, lane[0])
		}
	}
	slices.Sort(heads)
	return heads
}

// finish removes a head and notes its state.
func (m *model) finish(id string, state State) {
	m.done[id] = state
	if i := slices.Index(m.loose, id); i >= 0 {
		m.loose = slices.Delete(m.loose, i, i+1)
		return
	}
	for name, lane := range m.lanes {
		if len(lane) > 0 && lane[0] == id {
			m.lanes[name] = lane[1:]
		}
	}
}

// known returns the ids of all deliveries, sorted.
func (m *model) known() []string {
	ids := slices.Concat(append(slices.Collect(maps.Values(m.lanes)), m.loose, slices.Collect(maps.Keys(m.done)))...)
	slices.Sort(ids)
	return ids
}

// discard removes an id wherever it is.
func (m *model) discard(id string) {
	isSame := func(other string) bool { return other == id }
	for name, lane := range m.lanes {
		m.lanes[name] = slices.DeleteFunc(slices.Clone(lane), isSame)
	}
	m.loose = slices.DeleteFunc(m.loose, isSame)
	delete(m.done, id)
}

// Whatever is done to a store, and however often it is reopened, it holds what
// the model holds.
func TestStoreMatchesItsModel(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		dir, err := os.MkdirTemp(t.TempDir(), "")
		if err != nil {
			r.Fatal(err)
		}
		open := func() (s *Store, stop func()) {
			s = newStore(t, dir, config.Retention{})
			s.segmentSize = 2 << 10 // so that there are many checkpoints
			stop = run(t, s)
			waitOpen(t, s)
			return s, stop
		}
		s, stop := open()
		defer func() { stop() }()
		m := &model{lanes: map[string][]string{}, done: map[string]State{}}
		head := func() string {
			heads := m.heads()
			if len(heads) == 0 {
				r.Skip("nothing waits")
			}
			return rapid.SampledFrom(heads).Draw(r, "head")
		}
		r.Repeat(map[string]func(*rapid.T){
			"enqueue": func(r *rapid.T) {
				lane := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(r, "lane")
				m.count++
				d := delivery(lane, m.count)
				do(t, s, func(tx *Tx) { tx.Enqueue(d); tx.Enqueue(d) }) // the second time does nothing
				m.lanes[lane] = append(m.lanes[lane], d.ID)
			},
			"deliver": func(*rapid.T) {
				id := head()
				seq := seqOf(t, s, id)
				do(t, s, func(tx *Tx) { tx.Delivered(seq, Attempt{At: at(1), Status: 200}) })
				m.finish(id, Delivered)
			},
			"give up": func(*rapid.T) {
				id := head()
				seq := seqOf(t, s, id)
				do(t, s, func(tx *Tx) { tx.Dead(seq, Attempt{At: at(1), Status: 500}) })
				m.finish(id, Dead)
			},
			"redeliver": func(r *rapid.T) {
				var ids []string
				for id := range m.done {
					ids = append(ids, id)
				}
				if len(ids) == 0 {
					r.Skip("nothing is finished")
				}
				slices.Sort(ids)
				id := rapid.SampledFrom(ids).Draw(r, "id")
				seq := seqOf(t, s, id)
				do(t, s, func(tx *Tx) { tx.Redeliver(seq, at(1)) })
				delete(m.done, id)
				m.loose = append(m.loose, id)
			},
			"power cut": func(r *rapid.T) {
				before := readLive(t, s, dir)
				wanted := m.clone()
				m.count++
				d := delivery("a", m.count)
				do(t, s, func(tx *Tx) { tx.Enqueue(d) })
				m.lanes["a"] = append(m.lanes["a"], d.ID)
				torn, isWhole := tear(r, before, readLive(t, s, dir))
				if !isWhole {
					wanted.count = m.count
					m = wanted
				}
				stop()
				writeState(t, dir, torn)
				s, stop = open()
			},
			"kill": func(*rapid.T) {
				left := readLive(t, s, dir)
				stop()
				writeState(t, dir, left) // as before the orderly stop
				s, stop = open()
			},
			"discard": func(r *rapid.T) {
				ids := m.known()
				if len(ids) == 0 {
					r.Skip("nothing is kept")
				}
				id := rapid.SampledFrom(ids).Draw(r, "id")
				seq := seqOf(t, s, id)
				do(t, s, func(tx *Tx) { tx.Discard(seq); tx.Discard(seq) }) // the second time does nothing
				m.discard(id)
			},
			"reopen": func(*rapid.T) {
				stop()
				s, stop = open()
			},
			"": func(r *rapid.T) { compareWithModel(t, r, s, m) },
		})
	})
}

func compareWithModel(t *testing.T, r *rapid.T, s *Store, m *model) {
	t.Helper()
	all, rest, err := s.List(Query{Limit: 10_000})
	if err != nil || rest != "" {
		r.Fatalf("cannot list: %q, %v", rest, err)
	}
	var listed []string
	for _, d := range all {
		listed = append(listed, d.ID)
	}
	if slices.Sort(listed); !slices.Equal(listed, m.known()) {
		r.Fatalf("listed %q, want %q", listed, m.known())
	}
	got := dueIDs(t, s, "crm", at(3600))
	slices.Sort(got)
	if want := m.heads(); !slices.Equal(got, want) {
		r.Fatalf("due %q, want %q", got, want)
	}
	target, err := s.Target("crm")
	if err != nil {
		r.Fatal(err)
	}
	pending, states := len(m.loose), map[State]int{}
	for _, lane := range m.lanes {
		pending += len(lane)
	}
	for _, state := range m.done {
		states[state]++
	}
	want := fmt.Sprintf("%d pending, %d delivered, %d dead", pending, states[Delivered], states[Dead])
	if got := fmt.Sprintf("%d pending, %d delivered, %d dead", target.Pending, target.Delivered, target.Dead); got != want {
		r.Fatalf("the store has %s, want %s", got, want)
	}
}
