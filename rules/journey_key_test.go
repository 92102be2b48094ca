package rules

import (
	"fmt"
	"strings"
	"testing"
)

// keyed calls a fold with pages that have keys: page P is served with key kP.
type keyed struct{ *folding }

func newKeyed(t *testing.T) keyed { return keyed{newFolding(t, false)} }

// reaches observes that the form of a page led to another one, which has its key; other
// is a key of its own instead.
func (k keyed) reaches(from, to, other string) {
	o := Observation{Kind: Reached, Survey: "5", Page: testPage(to), Served: "k" + to, OnPage: true}
	if from != "" {
		o.Posted = "k" + from
		o.Answers = []ItemAnswer{{Item: "item" + from, Answer: []byte(`"a"`)}}
	}
	if other != "" {
		o.Served = other
	}
	k.observe(o)
}

func (k keyed) completes(from string, isConfirmed bool) {
	k.observe(Observation{Kind: Completed, Survey: "5", Posted: "k" + from, IsConfirmed: isConfirmed})
}

func TestARequestFromAnOldPageCountsForNothing(t *testing.T) {
	f := func(name, want string, then func(k keyed)) {
		t.Helper()
		k := newKeyed(t)
		k.reaches("", "1", "")
		k.reaches("1", "2", "")
		then(k)
		t.Run(name, func(t *testing.T) {
			k.t = t
			k.wantEvents(want)
		})
	}
	f("the second of two clicks", "1>2", func(k keyed) { k.reaches("1", "2", "again") })
	f("what is sent from the page shown then counts", "1>2 2>3", func(k keyed) {
		k.reaches("1", "2", "again")
		k.observe(Observation{Kind: Reached, Survey: "5", Page: testPage("3"), Posted: "again", Served: "k3"})
	})
	f("an end that only the request says", "1>2", func(k keyed) { k.completes("1", false) })
	f("an end that the app says comes of an exchange that was not observed", "1>2 2>?", func(k keyed) { k.completes("1", true) })
	f("a page that shows that the participant has moved on", "1>2 2>3? 3>4?", func(k keyed) {
		k.reaches("1", "3", "") // so that 2 was left unseen
		k.reaches("3", "4", "")
	})
	f("another attempt does not revive it", "1>2 1>2", func(k keyed) {
		k.observe(Observation{Kind: Reached, Survey: "5", Page: testPage("1"), Served: "new", Attempt: newAttempt})
		k.reaches("2", "1", "newer")
		k.observe(Observation{Kind: Reached, Survey: "5", Page: testPage("2"), Posted: "newer", Served: "k2"})
	})
}

func TestARequestFromAPageThatWasNotObservedCounts(t *testing.T) {
	f := func(name, want string, then func(k keyed)) {
		t.Helper()
		k := newKeyed(t)
		k.reaches("", "1", "")
		k.reaches("1", "2", "")
		then(k)
		t.Run(name, func(t *testing.T) {
			k.t = t
			k.wantEvents(want)
			if last := k.events[len(k.events)-1]; string(last.Responses[0].Answer) != `"a"` {
				t.Errorf("the answer before is %q", last.Responses[0].Answer)
			}
		})
	}
	f("a navigation", "1>2 2>4?", func(k keyed) {
		k.reaches("2", "2", "again") // the app refuses to move on
		k.reaches("3", "4", "")
		if event := k.events[1]; string(event.Responses[1].Answer) != `"a"` {
			t.Errorf("the form of another page clears the answer, which is %q", event.Responses[1].Answer)
		}
	})
	f("and the next", "1>2 2>4? 4>5?", func(k keyed) { k.reaches("3", "4", ""); k.reaches("4", "5", "") })
	f("an end that the app says", "1>2 2>?", func(k keyed) { k.completes("3", true) })
	f("but not an end that only the request says", "1>2", func(k keyed) { k.completes("3", false) })
}

func TestAKeyThatIsServedAgainIsTheNewest(t *testing.T) {
	k := newKeyed(t)
	for _, page := range []string{"", "1", "2", "1"} {
		next := map[string]string{"": "1", "1": "2", "2": "1"}[page]
		k.reaches(page, next, "")
	}
	k.wantEvents("1>2 2>1 1>2")
}

func TestKeysAreRememberedWithinABound(t *testing.T) {
	var keys pageKeys
	for n := range 3 * maxKeys {
		keys.add(fmt.Sprint(n))
	}
	for n, want := range map[int]postedKey{3*maxKeys - 1: newestKey, 3*maxKeys - 2: supersededKey, 2 * maxKeys: supersededKey, 2*maxKeys - 1: unseenKey} {
		if got := keys.of(fmt.Sprint(n)); got != want {
			t.Errorf("key %d is %s, want %s", n, got, want)
		}
	}
	if keys.of("") != noKey || pageKeys(nil).of("1") != noKey || len(keys) != maxKeys {
		t.Errorf("%d keys", len(keys))
	}
	for k := noKey; k <= unseenKey; k++ {
		if strings.Contains(k.String(), "(") {
			t.Errorf("%d has no name", k)
		}
	}
}

// The key of the newest page was a text of its own.
func TestTheKeyOfAnEarlierReleaseIsRead(t *testing.T) {
	k := newKeyed(t)
	k.reaches("", "1", "")
	head := k.load(Key{"3", "p"}).encode()
	head[0] = headWithOneKey
	head = append(head[:len(head)-2], head[len(head)-1]) // it did not say either whether a silence was noted
	list := recordEncoder{}
	list.text("") // the name
	list.int(1)
	list.uint(digestOfKey("k1"))
	one := recordEncoder{}
	one.text("k1")
	head = []byte(strings.Replace(string(head), string(list), string(one), 1))
	journey := &Journey{}
	if err := journey.decode(head); err != nil || journey.Keys.of("k1") != newestKey || journey.Pointer != "1" {
		t.Errorf("%v, the keys are %v", err, journey.Keys)
	}
}
