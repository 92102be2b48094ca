package admin

import (
	"bufio"
	"net/http"
	"strings"
	"testing"

	"github.com/sidehook/sidehook/emitter/live"
)

// feedOf opens a feed and returns its lines, once it is subscribed.
func (s *server) feedOf(query string) *bufio.Scanner { return s.feedWith(query, "") }

// feedWith is feedOf with the admin_token, if it is not empty.
func (s *server) feedWith(query, token string) *bufio.Scanner {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, "http://"+s.Addr().String()+"/feed"+query, http.NoBody)
	if err != nil {
		s.t.Fatal(err)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { response.Body.Close() })
	lines := bufio.NewScanner(response.Body)
	if lines.Scan(); lines.Text() != ":" || response.Header.Get("Content-Type") != "text/event-stream" {
		s.t.Fatalf("the feed begins with %q, of type %q", lines.Text(), response.Header.Get("Content-Type"))
	}
	return lines
}

func nextData(t *testing.T, lines *bufio.Scanner) string {
	t.Helper()
	for lines.Scan() {
		if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			return data
		}
	}
	t.Fatalf("the feed ended: %v", lines.Err())
	return ""
}

func TestFeedHasWhatHappensAndMatchesItsFilter(t *testing.T) {
	s := newServer(t)
	feed := s.feedOf("?target=crm")
	s.config.Activity.Attempted(live.Entry{Target: "erp", Delivery: "msg_1"})
	s.config.Activity.Attempted(live.Entry{Target: "crm", Delivery: "msg_2", Outcome: "dead", Status: 500, Reason: "status\n500"})
	data := nextData(t, feed)
	if !strings.Contains(data, `"target":"crm","delivery":"msg_2","outcome":"dead","status":500,"reason":"status\n500"`) {
		t.Errorf("the feed has %s", data)
	}
	s.document.validate(t, "/feed", "/components/schemas/Entry", data)
}

func TestFeedLeavesOutWhatIsTooMuch(t *testing.T) {
	s := newServer(t)
	feed := s.feedOf("")
	const more = 1000
	for range feedBatch + more {
		s.config.Activity.Recorded(live.Entry{Event: "completion"})
	}
	entries, missed := 0, 0
	for entries+missed < feedBatch+more {
		switch data := nextData(t, feed); {
		case strings.HasPrefix(data, "{"):
			entries++
		default:
			var n int
			for _, digit := range data {
				n = n*10 + int(digit-'0')
			}
			missed += n
		}
	}
	if missed == 0 {
		t.Errorf("%d entries and none left out", entries)
	}
}

func TestFeedEndsWhenTheListenerShutsDown(t *testing.T) {
	s := newServer(t)
	feed := s.feedOf("")
	if err := s.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if feed.Scan(); feed.Scan() {
		t.Errorf("the feed goes on with %q", feed.Text())
	}
}

func TestFeedEndsWhenItsTokenIsNoLongerThatOfTheConfiguration(t *testing.T) {
	s := newServer(t)
	feed, other := s.feedWith("", canary), s.feedOf("")
	s.setToken("another-token-0123456789")
	for feed.Scan() {
		if feed.Text() != "" {
			t.Errorf("the feed goes on with %q", feed.Text())
		}
	}
	s.config.Activity.Recorded(live.Entry{Event: "completion"})
	if data := nextData(t, other); !strings.Contains(data, "completion") {
		t.Errorf("the feed of somebody on this machine has %q", data)
	}
}
