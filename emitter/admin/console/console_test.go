package console

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/sidehook/sidehook/emitter/live"
	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/rules/reload"
)

func TestEachPageShowsWhatItIsAbout(t *testing.T) {
	s := newServer(t)
	s.reloaded = reload.Outcome{At: time.Now(), Trigger: "signal", Error: "config.yaml:3:1: " + hostile}
	s.activity.Recorded(live.Entry{Event: "completion"})
	f := func(path string, want ...string) {
		t.Helper()
		status, page := s.get(path, nil)
		if status != http.StatusOK {
			t.Errorf("%s: status %d", path, status)
		}
		for _, text := range want {
			if !strings.Contains(page, text) {
				t.Errorf("%s does not show %q:\n%s", path, text, page)
			}
		}
	}
	f("/console", "Target crm is down: &lt;script&gt;", "deliveries to crm are dead", "The configuration was not reloaded", `<dd>1</dd><dd class="note">in the last hour`, "erp", `aria-current="page">Overview`)
	f("/console/live", "msg_1?target=crm", `data-feed="/console/feed?"`, "<option>erp</option>")
	f("/console/live?target=crm&survey=x", `data-feed="/console/feed?survey=x&amp;target=crm"`, "<option selected>crm</option>")
	f("/console/deliveries", "msg_1", "msg_2", "Dead deliveries by cause", "status 500", "Discard…")
	f("/console/deliveries?state=dead", "msg_2")
	f("/console/deliveries?survey=other", "There are no deliveries that the search finds.")
	f("/console/deliveries?since=yesterday", "since must be a time")
	f("/console/deliveries?target=%3Cscript%3E", "is not known")
	f("/console/deliveries/msg_2", "status 500", "&lt;script&gt;alert(1)", "webhook-signature", "Show the body")
	f("/console/configuration", "config.yaml", "Refused", "participants")
	f("/console/test?target=erp", "<option selected>erp</option>", "<option>completion</option>")
	f("/console/try", `enctype="multipart/form-data"`)
	f("/console/assets/style.css", "prefers-color-scheme")
	f("/console/assets/console.js", "EventSource")
}

func TestConsoleIsForLoopbackOrALogin(t *testing.T) {
	s := newServer(t)
	f := func(name string, want int, edit func(*http.Request)) {
		t.Helper()
		if status, page := s.get("/console/deliveries", edit); status != want || status != http.StatusOK && strings.Contains(page, "msg_1") {
			t.Errorf("%s: status %d, want %d:\n%s", name, status, want, page)
		}
	}
	f("loopback", 200, nil)
	f("an address typed by hand", 200, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "none") })
	f("a link of the console", 200, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-origin") })
	f("a link of the survey on another port", 403, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-site") })
	f("a link of another site", 403, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") })
	f("a page of another origin", 403, func(r *http.Request) { r.Header.Set("Origin", "http://evil.example.org") })
	f("a page without an origin", 403, func(r *http.Request) { r.Header.Set("Origin", "null") })
	f("a name that is rebound", 401, func(r *http.Request) { r.Host = "evil.example.org" })
	f("a proxy on this machine", 401, func(r *http.Request) { r.Header.Set("X-Forwarded-For", "192.0.2.1") })
	f("a cookie that nobody gave out", 401, func(r *http.Request) { elsewhere(r); r.AddCookie(&http.Cookie{Name: cookieName, Value: "guess"}) })
}

func TestLoginLastsUntilItEnds(t *testing.T) {
	s := newServer(t)
	login := func(token string) int {
		t.Helper()
		form := url.Values{"admin_token": {token}}
		status, _ := s.send(http.MethodPost, "/console/login", "application/x-www-form-urlencoded", strings.NewReader(form.Encode()), elsewhere)
		return status
	}
	if status := login("wrong"); status != http.StatusUnauthorized || len(s.cookies) != 0 {
		t.Fatalf("a wrong token: status %d and cookies %v", status, s.cookies)
	}
	if log := s.log.String(); !strings.Contains(log, "somebody used a wrong admin_token") {
		t.Errorf("the log is %s", log)
	}
	if status := login(adminToken); status != http.StatusSeeOther {
		t.Fatalf("the token: status %d", status)
	}
	if cookie := s.cookies[0]; !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode || cookie.MaxAge != 3600 {
		t.Errorf("cookie %+v", cookie)
	}
	if status, page := s.get("/console", elsewhere); status != http.StatusOK || !strings.Contains(page, "Log out") {
		t.Fatalf("after the login: status %d", status)
	}
	edit := func(r *http.Request) { elsewhere(r); r.Header.Set("Origin", "http://"+r.Host) }
	_, shown := s.get("/console", elsewhere)
	token := strings.SplitN(strings.SplitN(shown, `name="token" value="`, 2)[1], `"`, 2)[0]
	kept := s.cookies
	status, _ := s.send(http.MethodPost, "/console/logout", "application/x-www-form-urlencoded", strings.NewReader(url.Values{"token": {token}}.Encode()), edit)
	if status != http.StatusSeeOther {
		t.Fatalf("logout: status %d", status)
	}
	s.cookies = kept
	if status, _ := s.get("/console", elsewhere); status != http.StatusUnauthorized {
		t.Errorf("a cookie from before the logout: status %d", status)
	}
}

func TestSessionsEnd(t *testing.T) {
	now, valid := time.Now(), true
	s := newSessions(func(string) bool { return valid })
	s.now = func() time.Time { return now }
	begin := func() string {
		id, ok := s.begin("token")
		if !ok {
			t.Fatal("no session")
		}
		now = now.Add(time.Second)
		return id
	}
	first := begin()
	for range maxSessions - 1 {
		begin()
	}
	if !s.isValid(first) {
		t.Error("the first session ended before there were too many")
	}
	last := begin()
	if s.isValid(first) || !s.isValid(last) || len(s.byDigest) != maxSessions {
		t.Errorf("after one too many: first %v, last %v, %d sessions", s.isValid(first), s.isValid(last), len(s.byDigest))
	}
	now = now.Add(sessionTime)
	if s.isValid(last) {
		t.Error("a session lasts longer than sessionTime")
	}
	changed := begin()
	valid = false
	if s.isValid(changed) {
		t.Error("a session outlasts its admin_token")
	}
}

func TestChangesNeedTheTokenOfAPage(t *testing.T) {
	s := newServer(t)
	form := url.Values{"action": {"disable"}, "token": {"guess"}}
	f := func(name, path, contentType, body string) {
		t.Helper()
		if status, page := s.send(http.MethodPost, path, contentType, strings.NewReader(body), nil); status != http.StatusForbidden {
			t.Errorf("%s: status %d:\n%s", name, status, page)
		}
	}
	const urlencoded = "application/x-www-form-urlencoded"
	f("a target", "/console/targets/crm", urlencoded, form.Encode())
	f("deliveries", "/console/change", urlencoded, "action=discard&id=msg_1&confirmed=yes")
	f("a body", "/console/deliveries/msg_1", urlencoded, "token=")
	f("a token in the address", "/console/deliveries/msg_1?token=guess", urlencoded, "")
	f("a file", "/console/try", "multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"har\"\r\n\r\n{}\r\n--b--\r\n")
	if target, err := s.store.Target("crm"); err != nil || !target.Disabled.IsZero() {
		t.Errorf("the target was disabled: %+v, %v", target, err)
	}
	if status, _ := s.post("/console/targets/crm", url.Values{"action": {"disable"}}, "/console", nil); status != http.StatusSeeOther {
		t.Errorf("with the token: status %d", status)
	}
	if target, err := s.store.Target("crm"); err != nil || target.Disabled.IsZero() {
		t.Errorf("the target was not disabled: %v", err)
	}
}

func TestChangeOfDeliveriesIsConfirmedFirst(t *testing.T) {
	s := newServer(t)
	form := url.Values{"action": {"redeliver"}, "state": {"dead"}, "to": {"erp"}}
	if status, page := s.post("/console/change", form, "/console/deliveries", nil); status != http.StatusOK || !strings.Contains(page, "<strong>1 delivery</strong> will be sent again") {
		t.Errorf("first: status %d:\n%s", status, page)
	}
	if found, _, err := s.store.List(outbox.Query{Target: "erp", Limit: 10}); err != nil || len(found) != 0 {
		t.Fatalf("redelivered before it was confirmed: %v, %v", found, err)
	}
	form.Set("confirmed", "yes")
	if status, page := s.post("/console/change", form, "/console/deliveries", nil); status != http.StatusOK || !strings.Contains(page, "Done: 1 delivery.") {
		t.Errorf("confirmed: status %d:\n%s", status, page)
	}
	if found, _, err := s.store.List(outbox.Query{Target: "erp", Limit: 10}); err != nil || len(found) != 1 {
		t.Errorf("not redelivered: %v, %v", found, err)
	}
}

func TestWhoLooksAtABodyIsLogged(t *testing.T) {
	s := newServer(t)
	if _, page := s.get("/console/deliveries/msg_1", nil); strings.Contains(page, "<h3>Body</h3>") {
		t.Error("the body is shown without being asked for")
	}
	if strings.Contains(s.log.String(), "looked at the body") {
		t.Error("logged though nobody looked")
	}
	status, page := s.post("/console/deliveries/msg_1", url.Values{}, "/console/deliveries/msg_1", nil)
	if status != http.StatusOK || !strings.Contains(page, `aria-label="Body">&lt;script&gt;`) {
		t.Errorf("status %d:\n%s", status, page)
	}
	if log := s.log.String(); !strings.Contains(log, "looked at the body") || !strings.Contains(log, "delivery=msg_1 address=127.0.0.1:") {
		t.Errorf("the log is %s", log)
	}
}

func TestFileIsTried(t *testing.T) {
	s := newServer(t)
	_, form := s.get("/console/try", nil)
	token := strings.SplitN(strings.SplitN(form, `name="token" value="`, 2)[1], `"`, 2)[0]
	var body bytes.Buffer
	upload := multipart.NewWriter(&body)
	if err := upload.WriteField("token", token); err != nil {
		t.Fatal(err)
	}
	file, err := upload.CreateFormFile("har", "session.har")
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(file, hostile)
	if err := upload.Close(); err != nil {
		t.Fatal(err)
	}
	status, page := s.send(http.MethodPost, "/console/try", upload.FormDataContentType(), &body, nil)
	if status != http.StatusOK || !strings.Contains(page, "session.har") || !strings.Contains(page, `aria-label="Report">&lt;script&gt;`) {
		t.Errorf("status %d:\n%s", status, page)
	}
}

func TestTestEventShowsWhyNothingWasSent(t *testing.T) {
	s := newServer(t)
	form := url.Values{"target": {"crm"}, "event": {"completion"}}
	if status, page := s.post("/console/test", form, "/console/test", nil); status != http.StatusOK || !strings.Contains(page, "completion to crm") || !strings.Contains(page, "no answer") {
		t.Errorf("status %d:\n%s", status, page)
	}
	form.Set("target", hostile)
	if status, page := s.post("/console/test", form, "/console/test", nil); status != http.StatusOK || !strings.Contains(page, "is not configured") {
		t.Errorf("another target: status %d:\n%s", status, page)
	}
}
