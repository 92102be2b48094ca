package main

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestHonestParticipantsLeaveEveryPage(t *testing.T) {
	f := func(a app) {
		t.Helper()
		served, err := serveApp(a)
		if err != nil {
			t.Fatal(err)
		}
		defer served.Close()
		l := newLedger(a)
		c := newCrowd(sizes{walkers: 1}, a, strings.TrimPrefix(served.url, "http://"), l)
		c.takeSurvey()
		if n, first := c.failures(); n > 0 {
			t.Errorf("%s: %d requests failed, the first with: %s", a.profile(), n, first)
		}
		if got := l.tally().expected; got != a.pages() || got < 2 {
			t.Errorf("%s: %d pages were left, want %d", a.profile(), got, a.pages())
		}
	}
	f(newDemoApp())
	f(newFormApp())
	f(newPersonalFormApp())
}

func TestFormsWithoutTheKeyOfTheirPageLeaveNothing(t *testing.T) {
	served, err := serveApp(newFormApp())
	if err != nil {
		t.Fatal(err)
	}
	defer served.Close()
	client := newClient(strings.TrimPrefix(served.url, "http://"), 1, time.Minute)
	ask := func(r request) response {
		t.Helper()
		got, err := send(client, r)
		if err != nil || got.status != http.StatusOK {
			t.Fatal(got.status, err)
		}
		return got
	}
	cookie := ask(openForm(noCookie)).cookie
	for _, r := range []request{
		postForm(cookie, urlencoded, []byte("LEMpostKey=madeup")),
		postForm(cookie, urlencoded, []byte("")),
		postForm(cookie, "text/xml", []byte("<a/>")),
		postForm("LS-OTHER=madeup", urlencoded, []byte("LEMpostKey=")),
	} {
		if got := ask(r); !strings.Contains(string(got.body), `name="thisstep" value="1"`) {
			t.Errorf("%s with %q leads to %s", r.headers, r.body, got.body)
		}
	}
}

func TestEchoMakesCopies(t *testing.T) {
	if got, want := echo([]string{"2*<b a=#>", "1*x", "y", "0*z"}), "<b a=0><b a=1>x"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
