package demo

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

const hostile = `{"type":"survey.completed","data":{"answer":"</script><img src=x onerror=alert(1)>"}}`

// streamFrom reads the feed of a server, after the event with an id.
func streamFrom(t *testing.T, url, id string) (events *bufio.Scanner, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/demo/webhooks", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Last-Event-ID", id)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	if got := response.Header.Get("Content-Type"); got != "text/event-stream" {
		t.Errorf("its type is %q", got)
	}
	return bufio.NewScanner(response.Body), func() { cancel(); response.Body.Close() }
}

func TestWebhooksAreStreamedToThePage(t *testing.T) {
	stopped := make(chan struct{})
	f := newFeed(stopped)
	server := httptest.NewServer(New(Options{Webhooks: f}))
	defer server.Close()
	f.add("one", []byte("{}"))
	events, stop := streamFrom(t, server.URL, "")
	defer stop()
	expect := func(events *bufio.Scanner, want string) {
		t.Helper()
		if !events.Scan() || !strings.Contains(events.Text(), want) {
			t.Errorf("got %q (%v), want %q", events.Text(), events.Err(), want)
		}
	}
	expect(events, "id: 1")
	expect(events, `{"line":"one","body":"{}"}`)
	expect(events, "")
	f.add("two", []byte(hostile))
	expect(events, "id: 2")
	expect(events, `"next":"`+nextStep)
	if strings.ContainsAny(events.Text(), "<>") {
		t.Errorf("an answer is not escaped: %s", events.Text())
	}
	again, stopAgain := streamFrom(t, server.URL, "1")
	defer stopAgain()
	expect(again, "id: 2")
	close(stopped)
	for again.Scan() && events.Scan() { //nolint:revive // both have to end
	}
}

func TestOnlyTheLastWebhooksAreKept(t *testing.T) {
	f := newFeed(nil)
	for range maxShown + 7 {
		f.add("line", []byte(strings.Repeat(" ", maxShownBody+1)))
	}
	shown, first, _ := f.since(3)
	if len(shown) != maxShown || first != 7 || len(shown[0].Body) > 100 {
		t.Errorf("%d are kept from %d on, the first %q", len(shown), first, shown[0].Body)
	}
}

func TestOtherSitesCannotReadTheFeed(t *testing.T) {
	f := func(host string, want int) {
		t.Helper()
		stopped := make(chan struct{})
		close(stopped)
		request := httptest.NewRequest(http.MethodGet, "/demo/webhooks", nil)
		request.Host = host
		w := httptest.NewRecorder()
		newFeed(stopped).ServeHTTP(w, request)
		if w.Code != want {
			t.Errorf("%s: status %d, want %d", host, w.Code, want)
		}
	}
	f("127.0.0.1:8080", http.StatusOK)
	f("localhost:8080", http.StatusOK)
	f("[::1]:8080", http.StatusOK)
	f("rebinding.example:8080", http.StatusForbidden)
	f("127.0.0.1.example", http.StatusForbidden)
}

func TestOnlyThePageOfTheDemoShowsWebhooks(t *testing.T) {
	f := func(webhooks http.Handler, want bool) {
		t.Helper()
		w := httptest.NewRecorder()
		New(Options{Webhooks: webhooks}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/survey/fzd", nil))
		if got := !strings.Contains(w.Body.String(), `<aside id="webhooks" hidden`); got != want {
			t.Errorf("with %v: shown is %t", webhooks, got)
		}
		if policy := w.Header().Get("Content-Security-Policy"); !strings.Contains(policy, "script-src 'sha256-") || strings.Contains(policy, "unsafe") {
			t.Errorf("its policy is %q", policy)
		}
	}
	f(nil, false)
	f(newFeed(nil), true)
}
