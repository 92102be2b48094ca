package proxy

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestConversationIsTheSameWithAndWithoutTheProxy is the strongest test of this
// package: for random conversations, both sides receive the same through the proxy
// as directly, apart from allowedDifferences.
func TestConversationIsTheSameWithAndWithoutTheProxy(t *testing.T) {
	h := newHarness(t)
	rapid.Check(t, func(t *rapid.T) {
		compareRuns(t, h, drawConversation(t))
	})
}

// FuzzDifferential is the same test, guided by coverage.
func FuzzDifferential(f *testing.F) {
	f.Fuzz(func(t *testing.T, input []byte) {
		h := newHarness(t)
		rapid.MakeFuzz(func(t *rapid.T) {
			compareRuns(t, h, drawConversation(t))
		})(t, input)
	})
}

// compareRuns fails if the conversation differs through the proxy.
func compareRuns(t *rapid.T, h *harness, conversation conversation) {
	direct := h.run(conversation, false)
	through := h.run(conversation, true)
	for i, step := range conversation {
		for _, d := range allowedDifferences {
			d.normalize(step, &direct[i], &through[i])
		}
		if diff := cmp.Diff(direct[i], through[i]); diff != "" {
			t.Errorf("step %d of %s\n(-direct +through):\n%s", i+1, conversation, diff)
			return
		}
	}
}

// TestEachAllowedDifferenceOccurs makes sure that no entry of the list is
// superfluous: the example of each one differs without the entry, and not with it.
func TestEachAllowedDifferenceOccurs(t *testing.T) {
	h := newHarness(t)
	for i, d := range allowedDifferences {
		t.Run(d.name, func(t *testing.T) {
			diffWithout := func(omitted int) string {
				direct, through := h.run(d.example, false), h.run(d.example, true)
				for n, step := range d.example {
					for j := range allowedDifferences {
						if j != omitted {
							allowedDifferences[j].normalize(step, &direct[n], &through[n])
						}
					}
				}
				return cmp.Diff(direct, through)
			}
			if left := diffWithout(-1); left != "" {
				t.Errorf("the example differs in more than the list allows (-direct +through):\n%s", left)
			}
			if diffWithout(i) == "" {
				t.Error("the example would not differ without this entry")
			}
		})
	}
}
