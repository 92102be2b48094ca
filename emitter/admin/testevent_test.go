package admin

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/emitter/receive"
	"github.com/sidehook/sidehook/rules/config"
)

func TestTestEventIsSentSignedAndTheAnswerShown(t *testing.T) {
	s := newServer(t)
	secret := config.NewSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if err := receive.Verify(r.Header, body, secret, time.Now()); err != nil || r.Header.Get("webhook-test") != "true" {
			t.Errorf("not verified: %v, webhook-test %q", err, r.Header.Get("webhook-test"))
		}
		http.Error(w, "an answer", http.StatusTeapot)
	}))
	defer target.Close()
	s.Apply(&config.Config{Targets: map[string]config.Target{"crm": {
		URL: mustParse(t, target.URL), Secret: config.Secrets{secret}, Format: config.FormatStandard, Timeout: config.Duration(10 * time.Second),
		Allow: config.Allowed{{Class: config.Loopback}},
	}}})
	status, body := s.request("POST", "/targets/crm/test?event=page_navigation", nil)
	for _, want := range []string{`"event":"page_navigation"`, `"status":418`, `"outcome":"retry"`, `"excerpt":"an answer\n"`} {
		if status != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("status %d and %s, want %s", status, body, want)
		}
	}
	if found, _, err := s.config.Store.List(outbox.Query{Limit: 10}); err != nil || len(found) != 1 {
		t.Errorf("the store has %d deliveries, %v; want the one that was there", len(found), err)
	}
}
