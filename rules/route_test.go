package rules

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The cases are those of the recording script-oddities.
func TestRoutesMatchWhatDecsysAccepts(t *testing.T) {
	profile := decsys(t)
	f := func(method, target string, kind Kind, params map[string]string) {
		t.Helper()
		match, ok := profile.Match([]byte(method), []byte(target))
		if !ok {
			t.Errorf("%s %s matches no route, want %s", method, target, kind)
			return
		}
		if match.Kind() != kind {
			t.Errorf("%s %s says %s, want %s", method, target, match.Kind(), kind)
		}
		if diff := cmp.Diff(params, match.params); diff != "" {
			t.Errorf("%s %s: parameters (-want +got):\n%s", method, target, diff)
		}
	}
	type ids = map[string]string

	// as the browser asks
	f("GET", "/api/progress/5/3/p", PageShown, ids{"survey": "5", "instance": "3", "participant": "p"})
	f("POST", "/api/progress/5/3/p/next", Navigated, ids{"survey": "5", "instance": "3", "participant": "p", "key": "next"})
	f("POST", "/api/log/3/p/page/decsys.platform.PAGE_LOAD", PageLoaded, ids{"instance": "3", "participant": "p", "page": "page"})
	f("POST", "/api/log/3/p/item/decsys.platform.COMPONENT_RESULTS", Answered, ids{"instance": "3", "participant": "p", "item": "item"})
	// without a participant, with and without the slash
	f("GET", "/api/progress/5/3/", PageShown, ids{"survey": "5", "instance": "3"})
	f("GET", "/api/progress/5/3", PageShown, ids{"survey": "5", "instance": "3"})
	// 2.0.0, which names a survey's instance in one word
	fzd := func(more ids) ids {
		more["friendly_id"], more["survey"], more["instance"] = "fzd", "5", "3"
		return more
	}
	f("GET", "/api/progress/fzd", PageShown, fzd(ids{}))
	f("GET", "/api/progress/fzd/p", PageShown, fzd(ids{"participant": "p"}))
	f("POST", "/api/progress/fzd/p/next", Navigated, fzd(ids{"participant": "p", "key": "next"}))
	// another case, a query, a trailing slash, dot segments
	f("POST", "/API/Progress/5/3/p/next", Navigated, ids{"survey": "5", "instance": "3", "participant": "p", "key": "next"})
	f("POST", "/api/progress/5/3/p/next?x=1", Navigated, ids{"survey": "5", "instance": "3", "participant": "p", "key": "next"})
	f("POST", "/api/progress/5/3/p/next/", Navigated, ids{"survey": "5", "instance": "3", "participant": "p", "key": "next"})
	f("POST", "/api/./progress/5/3/p/next", Navigated, ids{"survey": "5", "instance": "3", "participant": "p", "key": "next"})
	f("POST", "/x/../api/progress/5/3/p/next", Navigated, ids{"survey": "5", "instance": "3", "participant": "p", "key": "next"})
	// percent-encoded letters, in a literal and in an id
	f("POST", "/api/log/3/p/item/decsys.platform.COMPONENT%5FRESULTS", Answered, ids{"instance": "3", "participant": "p", "item": "item"})
	f("GET", "/api/progress/5/3/Bob%20%C3%A9", PageShown, ids{"survey": "5", "instance": "3", "participant": "Bob é"})
	// a slash within a segment stays encoded, a lone % stands for itself
	f("GET", "/api/progress/5/3/a%2Fb", PageShown, ids{"survey": "5", "instance": "3", "participant": "a%2Fb"})
	f("GET", "/api/progress/5/3/100%", PageShown, ids{"survey": "5", "instance": "3", "participant": "100%"})
}

// All of these are the same path for one server or another. Where an app reads one
// of them otherwise it responds with 404 or 405, and the exchange says nothing.
func TestEverySpellingOfAPathMatches(t *testing.T) {
	profile := decsys(t)
	want := map[string]string{"survey": "5", "instance": "3", "participant": "p", "key": "next"}
	for _, target := range []string{
		"/api/x/%2e%2e/progress/5/3/p/next", "/api/x/.%2E/progress/5/3/p/next", "/api/%2e/progress/5/3/p/next",
		"/%61pi/progress/5/3/p/n%65xt", "/api/progress/5/3/p/next/.", "/api/progress/5/3/p/next/x/..", "/../api/progress/5/3/p/next",
		"//api/progress/5/3/p/next", "/api///progress/5/3//p/next//", "/api/x//../progress//5/3/p/next", "/api%2Fprogress/5/3/p/next",
		"/api/x%2f%2e%2e%2fprogress/5/3/p/next", "/a//../b/../../api/progress/5/3/p/next#f",
		"/x/%2e%2e/x/../api//./progress/5/3/p/./next?x=//",
	} {
		match, ok := profile.Match([]byte("POST"), []byte(target))
		if diff := cmp.Diff(want, match.params); !ok || diff != "" {
			t.Errorf("%s: match %v (-want +got):\n%s", target, ok, diff)
		}
	}
}

func TestRoutesMatchNothingElse(t *testing.T) {
	profile := decsys(t)
	f := func(method, target string) {
		t.Helper()
		if match, ok := profile.Match([]byte(method), []byte(target)); ok {
			t.Errorf("%s %s says %s, want no match", method, target, match.Kind())
		}
	}
	f("PUT", "/api/progress/5/3/p/next")
	f("POST", "/api/x/%252e%252e/progress/5/3/p/next")
	f("POST", "/api/progress/5/3/p/next/...")
	f("HEAD", "/api/progress/5/3/p")
	f("GET", "/api/progress/5/3/p/next")
	f("GET", "/api/progress/5")
	f("POST", "/api/log/3/p/item/decsys.platform.component_results") // an event of another type
	f("POST", "/api/log/3/p/item/custom.EVENT")
	f("POST", "/api/log/3/p//decsys.platform.PAGE_LOAD")
	f("GET", "/assets/index.js")
	f("GET", "*")
	f("GET", "")
	f("GET", "http://survey.example.org/api/progress/5/3/p")
	f("GET", "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19")
}

func TestMatchWithoutARouteDoesNotAllocate(t *testing.T) {
	profile := decsys(t)
	method, target := []byte("GET"), []byte("/api/./components/static/Choose%20One.js?1700000000")
	allocs := testing.AllocsPerRun(100, func() {
		if _, ok := profile.Match(method, target); ok {
			t.Error("it matched")
		}
	})
	if allocs != 0 {
		t.Errorf("Match allocates %v times, want 0", allocs)
	}
}

func FuzzMatch(f *testing.F) {
	profile, err := LoadProfile("decsys")
	if err != nil {
		f.Fatal(err)
	}
	f.Add("/api/progress/5/3/Bob%20/next/../%2e?x")
	f.Add("/api/log/3/%/%2/%zz")
	f.Fuzz(func(t *testing.T, target string) {
		for _, method := range []string{"GET", "POST"} {
			profile.Match([]byte(method), []byte(target))
		}
	})
}

func decsys(t testing.TB) *Profile {
	t.Helper()
	profile, err := LoadProfile("decsys")
	if err != nil {
		t.Fatal(err)
	}
	return profile
}
