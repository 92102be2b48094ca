package proxy

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// It is the strongest test of all: participant and app hold a conversation
// directly and through the proxy, and what arrives on both sides is the same,
// but for what allowed lists.
func TestWhateverIsSaidArrivesAsWithoutTheProxy(t *testing.T) {
	s := newStage(t)
	rapid.Check(t, func(t *rapid.T) {
		compare(t, s, drawConversation(t))
	})
}

// FuzzDifferential is the same, led by coverage.
func FuzzDifferential(f *testing.F) {
	f.Fuzz(func(t *testing.T, input []byte) {
		s := newStage(t)
		rapid.MakeFuzz(func(t *rapid.T) {
			compare(t, s, drawConversation(t))
		})(t, input)
	})
}

func compare(t *rapid.T, s *stage, conversation []*talk) {
	direct := s.play(conversation, false)
	through := s.play(conversation, true)
	for i, k := range conversation {
		for _, d := range allowed {
			d.level(k, &direct[i], &through[i])
		}
		if diff := cmp.Diff(direct[i], through[i]); diff != "" {
			t.Errorf("talk %d of %s\n(-direct +through):\n%s", i+1, conversation, diff)
			return
		}
	}
}

// TestEachAllowedDifferenceIsSeen holds that the list has no entry too many:
// each one has an example that would differ without it, and is equal with it.
func TestEachAllowedDifferenceIsSeen(t *testing.T) {
	s := newStage(t)
	for at, d := range allowed {
		t.Run(d.name, func(t *testing.T) {
			diff := func(but int) string {
				direct, through := s.play(d.example, false), s.play(d.example, true)
				for i, k := range d.example {
					for j := range allowed {
						if j != but {
							allowed[j].level(k, &direct[i], &through[i])
						}
					}
				}
				return cmp.Diff(direct, through)
			}
			if left := diff(-1); left != "" {
				t.Errorf("the example differs in more than the list allows (-direct +through):\n%s", left)
			}
			if diff(at) == "" {
				t.Error("the example would not differ without this entry")
			}
		})
	}
}
